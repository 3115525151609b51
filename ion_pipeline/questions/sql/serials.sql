-- Serialised units of a part
-- $part: product, part number = PLT-SENSOR
-- $parent: product, only those installed in a unit of this part = PLT-TOP

select serial_number, status, installed_in_part_number, installed_in_serial_or_lot, top_serial_or_lot
from production.serialized_units
where
    part_number = $part
    and installed_in_part_number = $parent -- if $parent
order by serial_number
