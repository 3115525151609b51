{{ config(materialized='table') }}

with attempts as (
    select * from {{ ref('int_production__step_attempts') }}
),

run_steps as (
    select * from {{ ref('int_production__run_steps') }}
),

run_units as (
    select * from {{ ref('int_production__run_units') }}
),

found as (
    select * from {{ ref('int_production__findings') }}
),

quantities as (
    select * from {{ ref('int_inventories__worked_quantities') }}
),

-- A finding belongs to the attempt in progress; a finding after the last attempt belongs to the last attempt.
findings as (
    select
        attempts.run_step_id,
        attempts.attempt_number,
        found.part_inventory_id,
        count(*) filter (where found.finding_type = 'failed_validation') as failed_validation_count,
        count(*) filter (where found.finding_type = 'redline') as redline_count,
        count(*) filter (where found.finding_type = 'issue') as issue_count
    from attempts
    inner join found
        on
            attempts.run_step_id = found.run_step_id
            and (attempts.previous_ended_at < found.found_at or attempts.attempt_number = 1)
            and (attempts.ended_at >= found.found_at or attempts.is_last)
    group by attempts.run_step_id, attempts.attempt_number, found.part_inventory_id
)

select
    attempts.run_step_id,
    attempts.attempt_number,
    attempts.run_id,
    run_steps.step_id,
    run_units.part_inventory_id,
    run_units.part_id,
    -- A run without a unit counts as a unit of its own.
    coalesce(run_units.part_inventory_id, -attempts.run_id) as counted_unit_id,
    -- The quantity at the attempt counts, not the quantity left now.
    quantities.quantity,
    attempts.outcome,
    attempts.ended_at,
    attempts.is_from_history,
    attempts.outcome = 'COMPLETE' and of_all.run_step_id is null and of_unit.run_step_id is null as is_clean,
    coalesce(of_all.failed_validation_count, 0) + coalesce(of_unit.failed_validation_count, 0)
        as failed_validation_count,
    coalesce(of_all.redline_count, 0) + coalesce(of_unit.redline_count, 0) as redline_count,
    coalesce(of_all.issue_count, 0) + coalesce(of_unit.issue_count, 0) as issue_count
from attempts
inner join run_steps on attempts.run_step_id = run_steps.run_step_id
left join run_units on attempts.run_id = run_units.run_id
left join quantities
    on run_units.part_inventory_id = quantities.part_inventory_id and attempts.ended_at = quantities.worked_at
left join findings as of_all
    on
        attempts.run_step_id = of_all.run_step_id
        and attempts.attempt_number = of_all.attempt_number
        and of_all.part_inventory_id is null
left join findings as of_unit
    on
        attempts.run_step_id = of_unit.run_step_id
        and attempts.attempt_number = of_unit.attempt_number
        and run_units.part_inventory_id = of_unit.part_inventory_id
