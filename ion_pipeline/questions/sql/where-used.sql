-- What contains this lot or serial, or a split of it, at any level?
-- $lot: lot, lot or serial number = PLT-BAD-POWDER
-- $part: part, part number, where several parts have the number = PLT-POWDER

with recursive family as (
    select part_inventory_id, false as is_split
    from reference.part_inventories
    where coalesce(part_number, 'part ' || part_id, '') = $part and $lot in (lot_number, serial_number)
    union
    select split.part_inventory_id, true as is_split
    from reference.part_inventories as split
    inner join family on split.origin_part_inventory_id = family.part_inventory_id
)

select
    used.min_depth as levels_up,
    used.ancestor_part_number,
    used.ancestor_part_revision,
    coalesce(used.ancestor_serial_number, used.ancestor_lot_number) as ancestor_serial_or_lot,
    used.ancestor_part_inventory_id,
    used.is_top_level,
    used.component_part_inventory_id as contains,
    bool_and(family.is_split) as is_split,
    used.quantity_extended
from genealogy.abom_where_used as used
inner join family on used.component_part_inventory_id = family.part_inventory_id
group by all
order by levels_up, used.ancestor_part_number, ancestor_serial_or_lot, contains
