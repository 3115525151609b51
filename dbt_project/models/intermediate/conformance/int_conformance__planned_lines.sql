{{ config(materialized='table') }}

with requirements as (
    select * from {{ ref('int_conformance__requirements') }}
    where mbom_item_id is not null
),

items as (
    select * from {{ ref('stg_ion__mbom_items') }}
),

mboms as (
    select * from {{ ref('stg_ion__mboms') }}
),

required as (
    select
        part_inventory_id,
        mbom_item_id,
        min(abom_generation) as abom_generation,
        min(build_requirement_id) as build_requirement_id,
        case when bool_and(is_fixed) then 1 else max(pieces_sharing) end as pieces
    from requirements
    group by part_inventory_id, mbom_item_id
),

-- The plan that a unit was started with: for each planned part, the highest mBOM version that any of its lines came
-- from.
plans as (
    select
        requirements.part_inventory_id,
        max_by(mboms.mbom_id, mboms.mbom_version) as mbom_id,
        min(requirements.pieces) as pieces
    from requirements
    inner join mboms on requirements.mbom_id = mboms.mbom_id
    group by requirements.part_inventory_id, mboms.part_id
),

-- Lines of that plan for which the unit has no requirement.
absent as (
    select
        plans.part_inventory_id,
        items.mbom_item_id,
        plans.pieces
    from plans
    inner join items on plans.mbom_id = items.mbom_id
    left join required
        on plans.part_inventory_id = required.part_inventory_id and items.mbom_item_id = required.mbom_item_id
    where required.mbom_item_id is null and not coalesce(items.is_deleted, false)
),

planned as (
    select
        required.part_inventory_id,
        required.mbom_item_id,
        required.abom_generation,
        required.build_requirement_id,
        required.pieces
    from required
    union all
    select
        part_inventory_id,
        mbom_item_id,
        cast(null as integer) as abom_generation,
        cast(null as bigint) as build_requirement_id,
        pieces
    from absent
)

select
    planned.part_inventory_id,
    planned.mbom_item_id,
    items.mbom_id,
    items.part_id,
    planned.abom_generation,
    planned.build_requirement_id,
    items.quantity as quantity_per_piece,
    items.quantity * planned.pieces as quantity_planned,
    coalesce(items.is_made_on_assembly, false) as is_made_on_assembly
from planned
inner join items on planned.mbom_item_id = items.mbom_item_id
