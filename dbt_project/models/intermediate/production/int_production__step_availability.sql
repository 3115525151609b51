with run_steps as (
    select * from {{ ref('int_production__run_steps') }}
),

waits as (
    select
        run_step_id,
        count(*) filter (where dependency = 'upstream') as upstream_count,
        count(*) filter (
            where dependency = 'upstream' and depends_on_status is distinct from 'COMPLETE'
        ) as upstream_incomplete_count,
        count(*) filter (
            where dependency = 'parent' and depends_on_status is distinct from 'IN_PROGRESS'
        ) as parent_idle_count
    from {{ ref('int_production__step_edges') }}
    group by run_step_id
)

select
    run_steps.run_step_id,
    run_steps.run_id,
    run_steps.run_step_title,
    run_steps.status,
    run_steps.is_group,
    coalesce(waits.upstream_count, 0) as upstream_count,
    coalesce(waits.upstream_incomplete_count, 0) as upstream_incomplete_count,
    coalesce(waits.parent_idle_count, 0) = 0 as is_parent_in_progress,
    coalesce(
        run_steps.status in ('TODO', 'IN_PROGRESS')
        and coalesce(waits.upstream_incomplete_count, 0) = 0
        and coalesce(waits.parent_idle_count, 0) = 0,
        false
    ) as is_available,
    run_steps.is_export_controlled
from run_steps
left join waits on run_steps.run_step_id = waits.run_step_id
