-- Items whose receipt ION does not show: nobody knows when they came, so that no receipt and no supplier counts them. A
-- warning that names them.
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
