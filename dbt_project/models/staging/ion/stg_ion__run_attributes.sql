{{ stage_attributes('run') }}
