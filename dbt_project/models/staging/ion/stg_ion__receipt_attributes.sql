{{ stage_attributes('receipt') }}
