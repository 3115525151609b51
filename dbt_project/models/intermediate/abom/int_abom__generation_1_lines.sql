with items as (
    select * from {{ ref('stg_ion__abom_items') }}
),

edges as (
    select * from {{ ref('stg_ion__abom_edges') }}
),

designators as (
    select * from {{ ref('stg_ion__abom_item_reference_designators') }}
),

planned as (
    select * from {{ ref('stg_ion__mbom_items') }}
),

-- A lot in several trees has a line in each tree, and each of these lines has the same children: count them once.
held as (
    select distinct
        parents.part_inventory_id as parent_part_inventory_id,
        edges.child_abom_item_id as abom_item_id
    from edges
    inner join items as parents on edges.parent_abom_item_id = parents.abom_item_id
    where parents.part_inventory_id is not null
),

-- ION keeps at most one designator per line; if there are more, the lowest id is used.
first_designators as (
    select
        abom_item_id,
        min_by(reference_designator, abom_item_reference_designator_id) as reference_designator
    from designators
    group by abom_item_id
),

lines as (
    select
        held.parent_part_inventory_id,
        items.abom_item_id as build_requirement_id,
        items.part_id,
        items.origin_mbom_item_id,
        coalesce(planned.is_made_on_assembly, false) as is_made_on_assembly,
        coalesce(items.quantity_per_parent, items.quantity_fixed) as quantity_required,
        items.is_export_controlled as is_requirement_controlled,
        items.part_inventory_id as child_part_inventory_id,
        case when items.part_inventory_id is not null then items.abom_item_id end as abom_installation_id,
        case when items.part_inventory_id is not null then first_designators.reference_designator end
            as reference_designator,
        case when items.part_inventory_id is not null then items.quantity else 0 end as quantity_installed,
        case when items.part_inventory_id is not null then items.created_at end as installed_at,
        case when items.part_inventory_id is not null then items.created_by_id end as installed_by_id
    from held
    inner join items on held.abom_item_id = items.abom_item_id
    left join planned on items.origin_mbom_item_id = planned.mbom_item_id
    left join first_designators on items.abom_item_id = first_designators.abom_item_id
)

select
    1 as abom_generation,
    *
from lines
where child_part_inventory_id is not null or quantity_required > 0
