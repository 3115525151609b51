{{ stage_attributes('procedure') }}
