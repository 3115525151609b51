with run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

facts as (
    select * from {{ ref('int_production__run_steps') }}
),

listed as (
    select
        run_step_id,
        {{ each_of('upstream_run_step_ids') }} as upstream_run_step_id
    from run_steps
),

follows as (
    select distinct
        run_step_id,
        upstream_run_step_id
    from listed
    where upstream_run_step_id is not null
),

upstream as (
    select
        follows.run_step_id,
        count(*) as upstream_count,
        count(*) filter (where before.status is distinct from 'COMPLETE') as upstream_incomplete_count
    from follows
    left join run_steps as before on follows.upstream_run_step_id = before.run_step_id
    group by follows.run_step_id
)

select
    run_steps.run_step_id,
    run_steps.run_id,
    run_steps.run_step_title,
    run_steps.status,
    facts.is_group,
    coalesce(upstream.upstream_count, 0) as upstream_count,
    coalesce(upstream.upstream_incomplete_count, 0) as upstream_incomplete_count,
    run_steps.parent_run_step_id is null or coalesce(parents.status = 'IN_PROGRESS', false) as is_parent_in_progress,
    coalesce(
        run_steps.status in ('TODO', 'IN_PROGRESS')
        and coalesce(upstream.upstream_incomplete_count, 0) = 0
        and (run_steps.parent_run_step_id is null or parents.status = 'IN_PROGRESS'),
        false
    ) as is_available,
    run_steps.is_export_controlled
from run_steps
inner join facts on run_steps.run_step_id = facts.run_step_id
left join upstream on run_steps.run_step_id = upstream.run_step_id
left join run_steps as parents on run_steps.parent_run_step_id = parents.run_step_id
