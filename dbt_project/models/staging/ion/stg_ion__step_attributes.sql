{{ stage_attributes('step') }}
