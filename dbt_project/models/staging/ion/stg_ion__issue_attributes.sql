{{ stage_attributes('issue') }}
