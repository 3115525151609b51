{{ stage_attributes('part') }}
