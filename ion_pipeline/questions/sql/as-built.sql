-- What is in this unit, all the way down?
-- $unit: unit, serial number, lot number, PART:NAME or #ID = PLT-T1

select
    repeat('   ', depth) || coalesce(part_number, 'part ' || part_id) as part,
    part_revision,
    coalesce(serial_number, lot_number) as serial_or_lot,
    reference_designator,
    quantity_installed,
    quantity_extended,
    is_open_requirement
from genealogy.abom_hierarchy
where root_part_inventory_id = $unit
order by sort_key
