-- The top-level units that contain a lot or serial or anything split off it, with the quantity per piece of each unit,
-- the number of places and the shortest path.
create or replace macro recall(part_number, lot_or_serial) as table
with recursive components as (
    select units.part_inventory_id
    from reference.part_inventories as units
    where
        -- A part that ION withholds is identified by its id, as in all trees.
        coalesce(units.part_number, 'part ' || units.part_id) = part_number
        and lot_or_serial in (units.lot_number, units.serial_number)

    -- `union` finds each piece once, so the recursion ends even if pieces are split from each other in a cycle.
    union

    select units.part_inventory_id
    from components
    inner join reference.part_inventories as units
        on components.part_inventory_id = units.origin_part_inventory_id
),

uses as (
    select
        used.ancestor_part_inventory_id,
        list(used.component_part_inventory_id order by used.component_part_inventory_id) as component_part_inventory_ids,
        min(used.min_depth) as min_depth,
        cast(sum(used.path_count) as bigint) as path_count,
        case when count(*) = count(used.quantity_extended) then sum(used.quantity_extended) end as quantity_extended
    from genealogy.abom_where_used as used
    where used.is_top_level and used.component_part_inventory_id in (select components.part_inventory_id from components)
    group by used.ancestor_part_inventory_id
),

ways as (
    select
        tree.root_part_inventory_id,
        min_by(tree.path_text, lpad(cast(tree.depth as varchar), 3, '0') || tree.sort_key) as path_text
    from genealogy.abom_hierarchy as tree
    where
        tree.root_part_inventory_id in (select uses.ancestor_part_inventory_id from uses)
        and tree.part_inventory_id in (select components.part_inventory_id from components)
    group by tree.root_part_inventory_id
)

select
    uses.ancestor_part_inventory_id as part_inventory_id,
    tops.part_number,
    tops.part_revision,
    tops.serial_number,
    tops.lot_number,
    tops.status,
    tops.location_path,
    uses.quantity_extended,
    uses.path_count,
    uses.min_depth,
    ways.path_text,
    uses.component_part_inventory_ids
from uses
inner join reference.part_inventories as tops on uses.ancestor_part_inventory_id = tops.part_inventory_id
inner join ways on uses.ancestor_part_inventory_id = ways.root_part_inventory_id
order by tops.part_number, tops.serial_number, tops.lot_number, tops.part_inventory_id;
