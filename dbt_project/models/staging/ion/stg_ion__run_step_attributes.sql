{{ stage_attributes('run_step') }}
