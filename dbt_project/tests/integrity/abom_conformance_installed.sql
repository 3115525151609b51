-- Conformance assigns installations to planned lines. None may be lost or counted twice: per unit, the quantity equals
-- that of genealogy.abom_installations. Every planned line in ION's own rows has its row.
with expected as (
    select
        parent_part_inventory_id as part_inventory_id,
        sum(quantity) as quantity,
        sum(abs(quantity)) as volume,
        count(*) > count(quantity) as is_unknown
    from {{ ref('abom_installations') }}
    group by parent_part_inventory_id
),

found as (
    select
        part_inventory_id,
        sum(quantity_installed) as quantity,
        count(*) > count(quantity_installed) as is_unknown
    from {{ ref('abom_conformance') }}
    group by part_inventory_id
),

planned as (
    select distinct
        parents.parent_part_inventory_id as part_inventory_id,
        items.mbom_item_id
    from {{ ref('stg_ion__build_requirements') }} as requirements
    inner join {{ ref('stg_ion__build_requirement_part_inventories') }} as parents
        on requirements.build_requirement_id = parents.build_requirement_id
    inner join {{ ref('stg_ion__part_inventories') }} as units
        on parents.parent_part_inventory_id = units.part_inventory_id
    inner join {{ ref('stg_ion__mbom_items') }} as items on requirements.origin_mbom_item_id = items.mbom_item_id
)

select
    expected.part_inventory_id,
    expected.quantity as expected_quantity,
    found.quantity as found_quantity,
    null as mbom_item_id
from expected
left join found on expected.part_inventory_id = found.part_inventory_id
where
    found.part_inventory_id is null
    or expected.is_unknown <> found.is_unknown
    or (not expected.is_unknown and abs(expected.quantity - found.quantity) > 1e-9 * expected.volume)
union all
select
    planned.part_inventory_id,
    null as expected_quantity,
    null as found_quantity,
    planned.mbom_item_id
from planned
left join {{ ref('abom_conformance') }} as lines
    on planned.part_inventory_id = lines.part_inventory_id and planned.mbom_item_id = lines.mbom_item_id
where lines.mbom_item_id is null
