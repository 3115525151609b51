{{ config(materialized='table') }}

select
    run_steps.run_step_id,
    run_steps.step_id,
    run_units.part_inventory_id,
    run_units.part_id,
    quantities.quantity,
    {{ production_day('run_steps.updated_at') }} as cancelled_on
from {{ ref('int_production__run_steps') }} as run_steps
inner join {{ ref('int_production__run_units') }} as run_units on run_steps.run_id = run_units.run_id
inner join {{ ref('int_inventories__worked_quantities') }} as quantities
    on run_units.part_inventory_id = quantities.part_inventory_id and run_steps.updated_at = quantities.worked_at
where
    run_steps.status = 'CANCELED'
    and run_steps.step_id is not null
    and not run_steps.is_group
    and run_steps.run_step_id not in (
        select attempts.run_step_id from {{ ref('int_production__step_attempts') }} as attempts
    )
