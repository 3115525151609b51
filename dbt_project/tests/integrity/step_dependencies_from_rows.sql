-- Each upstream step and parent of ION's run steps is one row, each step has one, and a step is available if none of
-- its rows contradicts.
with upstream as (
    select
        id as run_step_id,
        {{ each_of('upstream_step_ids') }} as depends_on_run_step_id
    from {{ source('ion', 'run_steps') }}
),

edges as (
    select
        run_step_id,
        count(distinct depends_on_run_step_id) as upstream_count
    from upstream
    group by run_step_id
),

expected as (
    select
        run_steps.id as run_step_id,
        coalesce(edges.upstream_count, 0) + case when run_steps.parent_id is null then 0 else 1 end as edge_count,
        coalesce(run_steps.status in ('TODO', 'IN_PROGRESS'), false) as is_open
    from {{ source('ion', 'run_steps') }} as run_steps
    left join edges on run_steps.id = edges.run_step_id
),

found as (
    select
        run_step_id,
        count(depends_on_run_step_id) as edge_count,
        count(*) as row_count,
        count(*) filter (where not is_satisfied) as unsatisfied_count,
        bool_and(is_available) as is_available,
        count(distinct is_available) as availability_count,
        count(*) filter (where is_critical and slack_hours > 0) as wrongly_critical_count
    from {{ ref('step_dependencies') }}
    group by run_step_id
)

select coalesce(expected.run_step_id, found.run_step_id) as run_step_id
from expected
full outer join found on expected.run_step_id = found.run_step_id
where
    found.edge_count is distinct from expected.edge_count
    or found.row_count is distinct from greatest(expected.edge_count, 1)
    or found.is_available is distinct from (expected.is_open and found.unsatisfied_count = 0)
    or found.availability_count <> 1
    or found.wrongly_critical_count > 0
