{{ stage_attributes('part_kit_item') }}
