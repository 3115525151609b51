{{ config(materialized='table') }}

with run_units as (
    select * from {{ ref('int_production__run_units') }}
),

run_steps as (
    select
        run_step_id,
        run_id
    from {{ ref('int_production__run_steps') }}
),

failed_validations as (
    select * from {{ ref('int_quality__failed_validations') }}
),

redlines as (
    select * from {{ ref('stg_ion__redlines') }}
),

issues as (
    select * from {{ ref('stg_ion__issues') }}
    where run_step_id is not null
),

-- An issue concerns the units that it names; if none of them went through the run, it concerns all units of the run.
issue_units as (
    select
        issues.issue_id,
        units.part_inventory_id
    from issues
    inner join run_steps on issues.run_step_id = run_steps.run_step_id
    inner join {{ ref('stg_ion__issue_part_inventories') }} as units on issues.issue_id = units.issue_id
    inner join run_units
        on run_steps.run_id = run_units.run_id and units.part_inventory_id = run_units.part_inventory_id
)

select
    run_step_id,
    cast(null as bigint) as part_inventory_id,
    'failed_validation' as finding_type,
    run_step_field_validation_id as finding_id,
    updated_at as found_at
from failed_validations
union all
select
    run_step_id,
    null as part_inventory_id,
    'redline' as finding_type,
    redline_id as finding_id,
    created_at as found_at
from redlines
union all
select
    issues.run_step_id,
    issue_units.part_inventory_id,
    'issue' as finding_type,
    issues.issue_id as finding_id,
    issues.created_at as found_at
from issues
left join issue_units on issues.issue_id = issue_units.issue_id
