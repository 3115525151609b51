{{ stage_attributes('purchase_order_line') }}
