{{ config(materialized='table') }}

with runs as (
    select * from {{ ref('stg_ion__runs') }}
),

origins as (
    select * from {{ ref('stg_ion__run_origin_part_inventories') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

-- Only units of the run's part went through its steps; other products of the run, such as parts made on the assembly,
-- did not.
linked as (
    select
        run_id,
        part_inventory_id
    from runs
    where part_inventory_id is not null
    union
    select
        origins.run_id,
        origins.part_inventory_id
    from origins
    inner join runs on origins.run_id = runs.run_id
    inner join units on origins.part_inventory_id = units.part_inventory_id
    left join units as named on runs.part_inventory_id = named.part_inventory_id
    where units.part_id = coalesce(named.part_id, runs.part_id)
)

select
    linked.run_id,
    linked.part_inventory_id,
    units.part_id
from linked
left join units on linked.part_inventory_id = units.part_inventory_id
