{{ config(materialized='table') }}

with run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

history as (
    select * from {{ ref('stg_ion_history__run_steps') }}
),

performed as (
    select * from {{ ref('int_production__run_steps') }}
    where not is_group
),

versions as (
    select
        run_step_id,
        status,
        started_at,
        ended_at,
        updated_at,
        valid_from
    from history
    union all
    select
        run_steps.run_step_id,
        run_steps.status,
        run_steps.started_at,
        run_steps.ended_at,
        run_steps.updated_at,
        null as valid_from
    from run_steps
    where run_steps.run_step_id not in (select history.run_step_id from history)
),

changes as (
    select
        run_step_id,
        status,
        ended_at,
        updated_at,
        valid_from,
        lag(status) over in_time as previous_status,
        lag(ended_at) over in_time as previous_ended_at,
        -- If the first version was read before the step started, the history of the step is complete.
        first_value(status not in ('COMPLETE', 'FAILED') and started_at is null) over in_time as is_seen_from_start
    from versions
    window in_time as (partition by run_step_id order by valid_from)
),

passages as (
    select
        run_step_id,
        status as outcome,
        valid_from,
        -- An unchanged end instant belongs to the earlier attempt.
        coalesce(
            case when ended_at is distinct from previous_ended_at then ended_at end,
            updated_at,
            -- Where ION gives no time at all, the time of the load that first read it is used.
            valid_from,
            (select first_load.valid_from from {{ ref('int_loads__first') }} as first_load)
        ) as ended_at,
        coalesce(is_seen_from_start, false) as is_from_history
    from changes
    where status in ('COMPLETE', 'FAILED') and status is distinct from previous_status
)

select
    passages.run_step_id,
    performed.run_id,
    row_number() over in_time as attempt_number,
    passages.outcome,
    passages.ended_at,
    lag(passages.ended_at) over in_time as previous_ended_at,
    lead(passages.run_step_id) over in_time is null as is_last,
    passages.is_from_history
from passages
inner join performed on passages.run_step_id = performed.run_step_id
window in_time as (partition by passages.run_step_id order by passages.valid_from)
