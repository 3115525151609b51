{{ config(materialized='table') }}

with judged as (
    select * from {{ ref('int_quality__judged_attempts') }}
),

numbered as (
    select
        *,
        row_number() over in_time as unit_attempt_number,
        lead(run_step_id) over in_time is null as is_last_of_unit,
        last_value(outcome) over of_unit as last_outcome,
        count(case when outcome = 'COMPLETE' then 1 end) over in_time as completed_so_far
    from judged
    -- A step added in a run counts as its own procedure step.
    window
        in_time as (
            partition by counted_unit_id, step_id, case when step_id is null then run_step_id end
            order by ended_at, run_step_id, attempt_number
        ),
        of_unit as (
            partition by counted_unit_id, step_id, case when step_id is null then run_step_id end
            order by ended_at, run_step_id, attempt_number
            rows between unbounded preceding and unbounded following
        )
)

select
    *,
    {{ day_in_zone('ended_at', organization_setting('production_time_zone')) }} as ended_on,
    unit_attempt_number = 1 and is_clean as is_first_pass
from numbered
