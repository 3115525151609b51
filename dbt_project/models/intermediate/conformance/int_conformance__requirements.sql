{{ config(materialized='table') }}

with generation_2 as (
    select
        2 as abom_generation,
        parents.parent_part_inventory_id,
        requirements.build_requirement_id,
        requirements.origin_mbom_item_id,
        requirements.quantity_per_parent is null and requirements.quantity_fixed is not null as is_fixed
    from {{ ref('stg_ion__build_requirement_part_inventories') }} as parents
    inner join {{ ref('stg_ion__build_requirements') }} as requirements
        on parents.build_requirement_id = requirements.build_requirement_id
),

parents_of_generation_2 as (
    select distinct parent_part_inventory_id from {{ ref('stg_ion__build_requirement_part_inventories') }}
),

-- A lot in several trees has a line in each tree, and each of these lines has the same children: they are required
-- once.
generation_1 as (
    select distinct
        1 as abom_generation,
        parents.part_inventory_id as parent_part_inventory_id,
        items.abom_item_id as build_requirement_id,
        items.origin_mbom_item_id,
        items.quantity_per_parent is null and items.quantity_fixed is not null as is_fixed
    from {{ ref('stg_ion__abom_edges') }} as edges
    inner join {{ ref('stg_ion__abom_items') }} as parents on edges.parent_abom_item_id = parents.abom_item_id
    inner join {{ ref('stg_ion__abom_items') }} as items on edges.child_abom_item_id = items.abom_item_id
    left join parents_of_generation_2
        on parents.part_inventory_id = parents_of_generation_2.parent_part_inventory_id
    where parents_of_generation_2.parent_part_inventory_id is null
),

both_generations as (
    select * from generation_2
    union all
    select * from generation_1
)

select
    both_generations.abom_generation,
    both_generations.parent_part_inventory_id as part_inventory_id,
    both_generations.build_requirement_id,
    planned.mbom_item_id,
    planned.mbom_id,
    both_generations.is_fixed,
    units.pieces,
    -- Units that share a requirement share its installations, so the planned quantity covers all of them.
    sum(units.pieces) over (
        partition by both_generations.abom_generation, both_generations.build_requirement_id
    ) as pieces_sharing
from both_generations
inner join {{ ref('int_abom__units') }} as units
    on both_generations.parent_part_inventory_id = units.part_inventory_id
-- A line whose planned line no longer exists has no plan, like a line that was added by hand.
left join {{ ref('stg_ion__mbom_items') }} as planned
    on both_generations.origin_mbom_item_id = planned.mbom_item_id
