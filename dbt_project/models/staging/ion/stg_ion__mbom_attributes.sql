{{ stage_attributes('mbom') }}
