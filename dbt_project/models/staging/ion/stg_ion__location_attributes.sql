{{ stage_attributes('location') }}
