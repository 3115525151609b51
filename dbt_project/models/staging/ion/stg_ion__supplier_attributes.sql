{{ stage_attributes('supplier') }}
