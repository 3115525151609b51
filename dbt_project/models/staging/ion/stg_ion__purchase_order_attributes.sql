{{ stage_attributes('purchase_order') }}
