-- Which finished units contain this lot or a split of it?
-- $lot: lot, lot or serial number = PLT-BAD-POWDER
-- $part: part, part number, where several parts have the number = PLT-POWDER

select
    part_number,
    part_revision,
    serial_number,
    lot_number,
    part_inventory_id,
    status,
    location_path,
    path_count as places,
    path_text
from recall($part, $lot)
order by is_in_tree, part_inventory_id is not null, part_number, serial_number, part_inventory_id
