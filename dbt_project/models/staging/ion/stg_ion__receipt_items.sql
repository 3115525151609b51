with source as (
    select * from {{ source('ion', 'receipt_items') }}
),

renamed as (
    select
        id as receipt_item_id,
        receipt_id,
        part_inventory_id,
        purchase_order_line_id,
        quantity,
        {{ is_export_controlled('receipt_items', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
