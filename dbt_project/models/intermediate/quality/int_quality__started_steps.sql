{{ config(materialized='table') }}

with run_steps as (
    select
        *,
        coalesce(started_at, first_attempt_ended_at, case when status = 'CANCELED' then updated_at end) as counted_at
    from {{ ref('run_steps') }}
    where step_id is not null and not is_group
)

select
    run_step_id,
    {{ production_day('counted_at') }} as day_on,
    step_id,
    part_id,
    part_number,
    part_revision,
    coalesce(status = 'CANCELED', false) as is_cancelled,
    redline_count
from run_steps
where counted_at is not null
