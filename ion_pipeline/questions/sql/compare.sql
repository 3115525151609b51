-- How do two units differ, and where?
-- $unit: unit, serial number, lot number, PART:NAME or #ID = PLT-T0
-- $other: unit, the unit to compare it with = PLT-T7

select change, path_text, part_number_before, part_revision_before, quantity_before,
    part_number_after, part_revision_after, quantity_after
from abom_compare(
    $unit,
    $other
)
