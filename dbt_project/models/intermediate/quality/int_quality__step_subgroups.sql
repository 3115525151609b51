with run_steps as (
    select
        run_steps.run_step_id,
        run_steps.origin_step_id as step_id,
        run_steps.status,
        {{ day_in_zone(
            'coalesce(run_steps.ended_at, run_steps.updated_at)', organization_setting('production_time_zone')
        ) }} as production_on,
        case when runs.quantity > 0 then runs.quantity else 1 end as unit_count
    from {{ ref('stg_ion__run_steps') }} as run_steps
    left join {{ ref('stg_ion__runs') }} as runs on run_steps.run_id = runs.run_id
    where run_steps.status in ('COMPLETE', 'FAILED') and run_steps.origin_step_id is not null
),

failed as (
    select distinct run_step_id
    from {{ ref('int_quality__failed_validations') }}
),

issues as (
    select
        run_step_id,
        count(*) as issue_count
    from {{ ref('stg_ion__issues') }}
    group by run_step_id
)

select
    run_steps.step_id,
    run_steps.production_on,
    count(*) as run_step_count,
    count(case when run_steps.status = 'FAILED' or failed.run_step_id is not null then 1 end) as failed_count,
    cast(sum(run_steps.unit_count) as bigint) as unit_count,
    cast(sum(coalesce(issues.issue_count, 0)) as bigint) as issue_count
from run_steps
left join failed on run_steps.run_step_id = failed.run_step_id
left join issues on run_steps.run_step_id = issues.run_step_id
where run_steps.production_on is not null
group by run_steps.step_id, run_steps.production_on
