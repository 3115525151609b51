{{ stage_attributes('part_kit') }}
