-- Which order lines are late?
-- $supplier: supplier, only lines of this supplier = PLT Precision Castings

select purchase_order_line_id, supplier_name, part_number, promised_on, fully_received_at::date as received_on, quantity_due,
    quantity_received
from supply.purchase_order_lines
where
    not is_on_time
    and supplier_name = $supplier -- if $supplier
order by promised_on, purchase_order_line_id
