{{ config(materialized='table') }}

with units as (
    select * from {{ ref('stg_ion__part_inventories') }}
    where status is distinct from 'SCRAPPED'
),

-- A unit is being built while it has an unfinished run, or a requirement of its own that is not filled.
unfinished as (
    select run_units.part_inventory_id
    from {{ ref('int_production__run_units') }} as run_units
    inner join {{ ref('stg_ion__runs') }} as runs on run_units.run_id = runs.run_id
    where runs.status is null or runs.status not in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
    union
    select part_inventory_id
    from {{ ref('int_production__requirements') }}
    where is_filled is distinct from true
),

built as (
    select units.part_inventory_id
    from units
    inner join unfinished on units.part_inventory_id = unfinished.part_inventory_id
)

select
    part_inventory_id as built_part_inventory_id,
    part_inventory_id
from built
union
select
    built.part_inventory_id as built_part_inventory_id,
    uses.component_part_inventory_id as part_inventory_id
from built
inner join {{ ref('int_abom__where_used') }} as uses on built.part_inventory_id = uses.ancestor_part_inventory_id
