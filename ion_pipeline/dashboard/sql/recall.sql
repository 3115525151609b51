with recursive names as (
    select
        lot_number as lot_or_serial,
        coalesce(part_number, 'part ' || part_id, '') as searched_part_number,
        part_inventory_id
    from reference.part_inventories
    where lot_number is not null
    union
    select
        serial_number as lot_or_serial,
        coalesce(part_number, 'part ' || part_id, '') as searched_part_number,
        part_inventory_id
    from reference.part_inventories
    where serial_number is not null
),

-- What bears the name, and everything that was split off it.
pieces as (
    select
        lot_or_serial,
        searched_part_number,
        part_inventory_id
    from names
    union
    select
        pieces.lot_or_serial,
        pieces.searched_part_number,
        split.part_inventory_id
    from pieces
    inner join reference.part_inventories as split on pieces.part_inventory_id = split.origin_part_inventory_id
),

uses as (
    select
        pieces.lot_or_serial,
        pieces.searched_part_number,
        used.ancestor_part_inventory_id,
        min(used.min_depth) as min_depth,
        sum(used.path_count) as path_count,
        case when count(*) = count(used.quantity_extended) then sum(used.quantity_extended) end as quantity_extended
    from pieces
    inner join genealogy.abom_where_used as used on pieces.part_inventory_id = used.component_part_inventory_id
    where used.is_top_level
    group by pieces.lot_or_serial, pieces.searched_part_number, used.ancestor_part_inventory_id
)

select
    uses.searched_part_number || ':' || uses.lot_or_serial as searched_for,
    uses.searched_part_number,
    uses.lot_or_serial,
    tops.part_inventory_id,
    tops.part_number,
    tops.part_revision,
    tops.serial_number,
    tops.lot_number,
    tops.status,
    tops.location_path,
    uses.quantity_extended,
    uses.path_count,
    uses.min_depth
from uses
inner join reference.part_inventories as tops on uses.ancestor_part_inventory_id = tops.part_inventory_id
