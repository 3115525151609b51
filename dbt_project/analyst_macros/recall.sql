-- The top-level units that contain a lot or serial or anything split off it, with the quantity per piece of each unit,
-- the number of places and the shortest path. Before them, with is_in_tree = false, every unit that contains it by its
-- installations but is in no tree with it: in or above a ring of installations, or above more levels than trees have.
-- Where data is missing altogether, the first row says INCOMPLETE and why, and has no unit.
create or replace macro recall(part_number, lot_or_serial) as table
with recursive components as (
    select units.part_inventory_id
    from reference.part_inventories as units
    where
        -- A part that ION withholds is identified by its id, as in all trees.
        coalesce(units.part_number, 'part ' || units.part_id, '') = part_number
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
),

-- Upwards along the installations themselves, rings and all, however deep: each unit is reached once.
above as (
    select components.part_inventory_id from components
    union
    select installed.parent_part_inventory_id as part_inventory_id
    from above
    inner join genealogy.abom_installations as installed
        on above.part_inventory_id = installed.child_part_inventory_id
),

outside as (
    select above.part_inventory_id
    from above
    where
        above.part_inventory_id not in (select components.part_inventory_id from components)
        and above.part_inventory_id not in (
            select used.ancestor_part_inventory_id
            from genealogy.abom_where_used as used
            where used.component_part_inventory_id in (select components.part_inventory_id from components)
        )
),

-- Entities that record installations and were never read, unless the other generation of ION's API records them all.
missing as (
    select string_agg(entity, ', ' order by entity) filter (where entity in ('abom_installations', 'build_requirements'))
        || ' of ION never read: installations recorded there are missing.' as reason
    from ops.freshness
    where last_read_at is null
    having
        count(*) filter (where entity in ('abom_installations', 'build_requirements')) > 0
        and count(*) filter (where entity in ('abom_edges', 'abom_items')) > 0
    union all
    -- The number of rows read is not published if rows under export control are left out.
    select 'Rows under export control are left out of this data: units among them are missing.' as reason
    from ops.loads
    where is_latest and rows_read is null
),

found as (
    select
        uses.ancestor_part_inventory_id as part_inventory_id,
        uses.quantity_extended,
        uses.path_count,
        uses.min_depth,
        ways.path_text,
        uses.component_part_inventory_ids,
        true as is_in_tree
    from uses
    inner join ways on uses.ancestor_part_inventory_id = ways.root_part_inventory_id
    union all
    select
        outside.part_inventory_id,
        null as quantity_extended,
        null as path_count,
        null as min_depth,
        'in no tree with it: in or above a ring of installations, or too many levels above it' as path_text,
        null as component_part_inventory_ids,
        false as is_in_tree
    from outside
),

answer as (
    select
        found.part_inventory_id,
        units.part_number,
        units.part_revision,
        units.serial_number,
        units.lot_number,
        units.status,
        units.location_path,
        found.quantity_extended,
        found.path_count,
        found.min_depth,
        found.path_text,
        found.component_part_inventory_ids,
        found.is_in_tree
    from found
    inner join reference.part_inventories as units on found.part_inventory_id = units.part_inventory_id
    union all
    select
        null as part_inventory_id,
        'INCOMPLETE' as part_number,
        null as part_revision,
        null as serial_number,
        null as lot_number,
        null as status,
        null as location_path,
        null as quantity_extended,
        null as path_count,
        null as min_depth,
        missing.reason as path_text,
        null as component_part_inventory_ids,
        false as is_in_tree
    from missing
)

select *
from answer
order by
    answer.is_in_tree,
    answer.part_inventory_id is not null,
    answer.part_number,
    answer.serial_number,
    answer.lot_number,
    answer.part_inventory_id;
