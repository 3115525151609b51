{{ stage_attributes('part_inventory') }}
