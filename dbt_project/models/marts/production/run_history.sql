with run_units as (
    select * from {{ ref('int_production__run_units') }}
),

runs as (
    select * from {{ ref('runs') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
)

select
    run_units.part_inventory_id,
    run_units.run_id,
    row_number() over (
        partition by run_units.part_inventory_id
        order by coalesce(runs.first_started_at, runs.created_at) desc, run_units.run_id desc
    ) as recency,
    units.part_id,
    units.part_number,
    units.part_revision,
    units.serial_number,
    units.lot_number,
    runs.run_title,
    runs.procedure_id,
    runs.procedure_title,
    runs.procedure_version,
    runs.procedure_type,
    runs.status,
    runs.is_finished,
    runs.first_started_at,
    runs.last_completed_at,
    runs.elapsed_hours,
    runs.touch_hours,
    runs.steps_done,
    runs.steps_total,
    runs.is_first_pass,
    runs.redline_count,
    runs.issue_count,
    runs.assigned_to,
    runs.created_at,
    runs.is_export_controlled
from run_units
inner join runs on run_units.run_id = runs.run_id
left join units on run_units.part_inventory_id = units.part_inventory_id
order by run_units.part_inventory_id, recency
