{{ config(materialized='table') }}

with runs as (
    select * from {{ ref('stg_ion__runs') }}
    where part_inventory_id is not null
),

steps as (
    select * from {{ ref('stg_ion__run_steps') }}
    where status is distinct from 'CANCELED'
),

fields as (
    select * from {{ ref('stg_ion__run_step_fields') }}
    where
        run_step_field_type in ('NUMBER', 'BOOLEAN')
        and value_json is not null
        and is_not_applicable is distinct from true
),

lines as (
    select * from {{ ref('int_abom__lines') }}
),

-- A field that is measured again in another run is the same field.
measured as (
    select
        runs.part_inventory_id,
        count(distinct coalesce(fields.step_field_id, -fields.run_step_field_id)) as measured_field_count
    from runs
    inner join steps on runs.run_id = steps.run_id
    inner join fields on steps.run_step_id = fields.run_step_id
    group by runs.part_inventory_id
),

required as (
    select
        parent_part_inventory_id as part_inventory_id,
        count(distinct build_requirement_id) as build_requirement_count
    from lines
    group by parent_part_inventory_id
)

select
    coalesce(measured.part_inventory_id, required.part_inventory_id) as part_inventory_id,
    coalesce(measured.measured_field_count, 0) as measured_field_count,
    coalesce(required.build_requirement_count, 0) as build_requirement_count,
    coalesce(measured.measured_field_count, 0) + coalesce(required.build_requirement_count, 0) as opportunity_count
from measured
full outer join required on measured.part_inventory_id = required.part_inventory_id
