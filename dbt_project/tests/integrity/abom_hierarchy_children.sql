-- The first level of every tree, straight from ION's rows: each (unit, child) with its number of lines and quantity.
with generation_2 as (
    select
        links.part_inventory_id as parent_id,
        installations.part_inventory_id as child_id,
        installations.quantity
    from {{ source('ion', 'abom_installations') }} as installations
    inner join {{ source('ion', 'build_requirement_part_inventories') }} as links
        on installations.build_requirement_id = links.build_requirement_id
),

generation_1 as (
    select distinct
        parents.part_inventory_id as parent_id,
        children.part_inventory_id as child_id,
        children.id as item_id,
        children.quantity
    from {{ source('ion', 'abom_edges') }} as edges
    inner join {{ source('ion', 'abom_items') }} as parents on edges.parent_abom_item_id = parents.id
    inner join {{ source('ion', 'abom_items') }} as children on edges.child_abom_item_id = children.id
    where not exists (
        select 1
        from {{ source('ion', 'build_requirement_part_inventories') }} as links
        where links.part_inventory_id = parents.part_inventory_id
    )
),

units as (
    select id from {{ source('ion', 'part_inventories') }}
),

expected as (
    select
        parent_id,
        child_id,
        count(*) as line_count,
        sum(quantity) as quantity
    from (
        select parent_id, child_id, quantity from generation_2
        union all
        select parent_id, child_id, quantity from generation_1
    ) as installed
    where
        parent_id in (select units.id from units)
        and child_id in (select units.id from units)
    group by parent_id, child_id
),

found as (
    select
        parent_part_inventory_id as parent_id,
        part_inventory_id as child_id,
        count(*) as line_count,
        sum(quantity_installed) as quantity
    from {{ ref('abom_hierarchy') }}
    where depth = 1 and not is_open_requirement
    group by parent_part_inventory_id, part_inventory_id
    union all
    select
        parent_part_inventory_id as parent_id,
        child_part_inventory_id as child_id,
        count(*) as line_count,
        sum(quantity) as quantity
    from {{ ref('abom_installations') }}
    where is_quarantined
    group by parent_part_inventory_id, child_part_inventory_id
)

select
    coalesce(expected.parent_id, found.parent_id) as parent_id,
    coalesce(expected.child_id, found.child_id) as child_id,
    expected.line_count as expected_lines,
    found.line_count as found_lines,
    expected.quantity as expected_quantity,
    found.quantity as found_quantity
from expected
full outer join found on expected.parent_id = found.parent_id and expected.child_id = found.child_id
where
    expected.line_count is distinct from found.line_count
    or expected.quantity is distinct from found.quantity
union all
-- ION has installations, and none of them was compared.
select null, null, 0, 0, null, null
where
    not exists (select 1 from expected)
    and (
        exists (select 1 from {{ source('ion', 'abom_installations') }})
        or exists (select 1 from {{ source('ion', 'abom_edges') }})
    )
