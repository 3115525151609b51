with runs as (
    select
        *,
        coalesce(first_started_at, created_at) as begun_at,
        coalesce(last_completed_at, case when not is_finished then as_of_at end) as done_at
    from {{ ref('runs') }}
),

steps as (
    select * from {{ ref('run_steps') }}
    where not is_group
),

-- ION does not say in which run something was installed: it was on a unit of the run, while the run was in progress.
uses as (
    select
        installed.*,
        runs.run_id,
        runs.run_title,
        runs.procedure_id,
        runs.procedure_title,
        runs.as_of_at,
        runs.run_id || '/' || installed.abom_installation_key as materials_used_key,
        count(*) over (partition by installed.abom_installation_key) as run_count,
        runs.is_export_controlled as is_run_controlled
    from {{ ref('int_production__run_units') }} as run_units
    inner join runs on run_units.run_id = runs.run_id
    inner join {{ ref('abom_installations') }} as installed
        on run_units.part_inventory_id = installed.parent_part_inventory_id
    where installed.installed_at between runs.begun_at and runs.done_at
),

-- The step that was being performed then, if it was the only one.
by_time as (
    select
        uses.materials_used_key,
        min(steps.run_step_id) as run_step_id
    from uses
    inner join steps on uses.run_id = steps.run_id
    where uses.installed_at between steps.started_at and coalesce(steps.ended_at, uses.as_of_at)
    group by uses.materials_used_key
    having count(*) = 1
),

-- The step at which the plan wants the line, if it is in the run once.
by_plan as (
    select
        uses.materials_used_key,
        min(steps.run_step_id) as run_step_id
    from uses
    inner join {{ ref('stg_ion__step_mbom_item_associations') }} as associations
        on uses.origin_mbom_item_id = associations.mbom_item_id
    inner join steps on uses.run_id = steps.run_id and associations.step_id = steps.step_id
    group by uses.materials_used_key
    having count(distinct steps.run_step_id) = 1
)

select
    uses.materials_used_key,
    uses.run_id,
    uses.run_title,
    uses.procedure_id,
    uses.procedure_title,
    coalesce(by_plan.run_step_id, by_time.run_step_id) as run_step_id,
    steps.run_step_title,
    case
        when by_plan.run_step_id is not null then 'plan'
        when by_time.run_step_id is not null then 'time'
    end as run_step_from,
    uses.run_count,
    uses.abom_generation,
    uses.abom_installation_key,
    uses.build_requirement_id,
    uses.parent_part_inventory_id,
    uses.parent_part_number,
    uses.parent_part_revision,
    uses.parent_serial_number,
    uses.parent_lot_number,
    uses.child_part_inventory_id,
    uses.child_part_number,
    uses.child_part_revision,
    uses.child_serial_number,
    uses.child_lot_number,
    uses.reference_designator,
    uses.quantity,
    uses.installed_at,
    uses.installed_by_id,
    uses.installed_by,
    uses.is_export_controlled or uses.is_run_controlled as is_export_controlled
from uses
left join by_plan on uses.materials_used_key = by_plan.materials_used_key
left join by_time on uses.materials_used_key = by_time.materials_used_key
left join steps on coalesce(by_plan.run_step_id, by_time.run_step_id) = steps.run_step_id
order by uses.run_id, uses.installed_at, uses.materials_used_key
