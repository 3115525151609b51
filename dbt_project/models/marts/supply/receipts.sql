with receipts as (
    select * from {{ ref('stg_ion__receipts') }}
),

items as (
    select * from {{ ref('stg_ion__receipt_items') }}
),

lines as (
    select * from {{ ref('stg_ion__purchase_order_lines') }}
),

orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
)

select
    receipts.receipt_id || '/' || coalesce(cast(items.receipt_item_id as string), '') as receipt_key,
    receipts.receipt_id,
    items.receipt_item_id,
    receipts.received_at,
    receipts.received_by_id,
    users.user_name as received_by,
    items.purchase_order_line_id,
    lines.purchase_order_id,
    coalesce(orders.supplier_id, pieces.supplier_id) as supplier_id,
    suppliers.supplier_name,
    items.part_inventory_id,
    parts.part_id,
    parts.part_number,
    parts.part_revision,
    pieces.serial_number,
    pieces.lot_number,
    items.quantity,
    coalesce(items.is_export_controlled, false) as is_export_controlled
from receipts
left join items on receipts.receipt_id = items.receipt_id
left join lines on items.purchase_order_line_id = lines.purchase_order_line_id
left join orders on lines.purchase_order_id = orders.purchase_order_id
left join pieces on items.part_inventory_id = pieces.part_inventory_id
left join parts on coalesce(pieces.part_id, lines.part_id) = parts.part_id
left join suppliers on coalesce(orders.supplier_id, pieces.supplier_id) = suppliers.supplier_id
left join users on receipts.received_by_id = users.user_id
order by receipts.received_at, receipts.receipt_id, items.receipt_item_id
