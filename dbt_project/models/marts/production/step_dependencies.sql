with steps as (
    select
        availability.*,
        run_steps.step_id,
        run_steps.run_title,
        run_steps.elapsed_hours,
        run_steps.part_inventory_id,
        run_steps.part_number,
        run_steps.serial_number,
        run_steps.lot_number
    from {{ ref('int_production__step_availability') }} as availability
    inner join {{ ref('run_steps') }} as run_steps on availability.run_step_id = run_steps.run_step_id
),

paths as (
    select * from {{ ref('int_procedures__critical_path') }}
),

edges as (
    select * from {{ ref('int_production__step_edges') }}
)

select
    steps.run_step_id || coalesce('/' || edges.dependency || '/' || edges.depends_on_run_step_id, '')
        as step_dependency_key,
    steps.run_step_id,
    edges.dependency,
    edges.depends_on_run_step_id,
    steps.run_id,
    steps.run_title,
    steps.run_step_title,
    steps.status,
    edges.depends_on_title,
    edges.depends_on_status,
    case edges.dependency
        when 'upstream' then coalesce(edges.depends_on_status = 'COMPLETE', false)
        when 'parent' then coalesce(edges.depends_on_status = 'IN_PROGRESS', false)
    end as is_satisfied,
    steps.is_available,
    steps.is_group,
    steps.step_id,
    steps.elapsed_hours,
    paths.typical_hours,
    coalesce(paths.observed_count, 0) as observed_count,
    paths.hours_before,
    paths.slack_hours,
    paths.path_hours,
    case when paths.path_hours > 0 then paths.slack_hours = 0 end as is_step_critical,
    case
        when edges.dependency <> 'upstream' or paths_before.step_id is null then null
        when coalesce(paths.path_hours, 0) <= 0 then null
        when paths.slack_hours <> 0 or paths_before.slack_hours <> 0 then false
        else
            {{ difference_of(
                'paths.hours_before', '(paths_before.hours_before + coalesce(paths_before.typical_hours, 0))'
            ) }} = 0
    end as is_critical,
    steps.part_inventory_id,
    steps.part_number,
    steps.serial_number,
    steps.lot_number,
    coalesce(steps.is_export_controlled, false) or coalesce(edges.depends_on_is_export_controlled, false)
        as is_export_controlled
from steps
left join edges on steps.run_step_id = edges.run_step_id
left join paths on steps.step_id = paths.step_id
left join paths as paths_before on edges.depends_on_step_id = paths_before.step_id
order by steps.run_id, steps.run_step_id, step_dependency_key
