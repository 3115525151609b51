-- The first level of every tree, compared with ION's rows: each (unit, child) with its number of lines and quantity.
with units as (
    select id from {{ source('ion', 'part_inventories') }}
),

parents_of_generation_2 as (
    select
        build_requirement_id,
        part_inventory_id
    from {{ source('ion', 'build_requirement_part_inventories') }}
),

generation_2 as (
    select
        parents.part_inventory_id as parent_id,
        installations.part_inventory_id as child_id,
        installations.quantity
    from {{ source('ion', 'abom_installations') }} as installations
    inner join parents_of_generation_2 as parents
        on installations.build_requirement_id = parents.build_requirement_id
),

items_of_generation_1 as (
    select distinct
        parents.part_inventory_id as parent_id,
        edges.child_abom_item_id as item_id
    from {{ source('ion', 'abom_edges') }} as edges
    inner join {{ source('ion', 'abom_items') }} as parents on edges.parent_abom_item_id = parents.id
    where parents.part_inventory_id not in (select newer.part_inventory_id from parents_of_generation_2 as newer)
),

generation_1 as (
    select
        held.parent_id,
        items.part_inventory_id as child_id,
        items.quantity
    from items_of_generation_1 as held
    inner join {{ source('ion', 'abom_items') }} as items on held.item_id = items.id
),

installed as (
    select * from generation_2
    union all
    select * from generation_1
),

expected as (
    select
        parent_id,
        child_id,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(abs(quantity)) as volume
    from installed
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
    or (expected.quantity is null) is distinct from (found.quantity is null)
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    or abs(expected.quantity - found.quantity) > 1e-9 * expected.volume
union all
-- Fails if ION has installations but none was compared.
select
    null as parent_id,
    null as child_id,
    count(*) as expected_lines,
    0 as found_lines,
    null as expected_quantity,
    null as found_quantity
from installed
where (select count(*) from expected) = 0
having count(child_id) > 0
