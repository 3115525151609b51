-- Where is this serial, and what is it installed in?
-- $unit: unit, serial number, lot number, PART:NAME or #ID = PLT-S1A

select
    unit.part_number,
    unit.serial_number,
    unit.lot_number,
    unit.status,
    unit.location_path,
    parent.parent_part_number,
    parent.parent_serial_number,
    top.ancestor_serial_number as top_level_serial
from reference.part_inventories as unit
left join genealogy.abom_installations as parent on unit.part_inventory_id = parent.child_part_inventory_id
left join genealogy.abom_where_used as top
    on unit.part_inventory_id = top.component_part_inventory_id and top.is_top_level
where unit.part_inventory_id = $unit
