-- Receipt items whose receipt ION withholds. Their date is unknown, so receipts and supplier quality do not count them.
-- Severity warn: lists them.
{{ config(severity='warn') }}

select
    items.receipt_item_id,
    items.receipt_id,
    items.purchase_order_line_id,
    items.part_inventory_id,
    items.quantity
from {{ ref('stg_ion__receipt_items') }} as items
left join {{ ref('stg_ion__receipts') }} as receipts on items.receipt_id = receipts.receipt_id
where receipts.receipt_id is null
