-- Which finished units contain this lot or a split of it?
-- $lot: lot, lot or serial number = PLT-BAD-POWDER
-- $part: part, part number, where several parts have the number = PLT-POWDER

with recursive family as (
    select part_inventory_id
    from reference.part_inventories
    where coalesce(part_number, 'part ' || part_id, '') = $part and $lot in (lot_number, serial_number)
    union
    select split.part_inventory_id
    from reference.part_inventories as split
    inner join family on split.origin_part_inventory_id = family.part_inventory_id
)

select
    unit.part_number,
    unit.part_revision,
    unit.serial_number,
    unit.lot_number,
    unit.part_inventory_id,
    unit.status,
    unit.location_path,
    cast(sum(used.path_count) as bigint) as places
from genealogy.abom_where_used as used
inner join family on used.component_part_inventory_id = family.part_inventory_id
inner join reference.part_inventories as unit on used.ancestor_part_inventory_id = unit.part_inventory_id
where used.is_top_level
group by all
order by unit.part_number, unit.serial_number, unit.part_inventory_id
