with source as (
    select * from {{ source('ion', 'purchase_order_lines') }}
),

renamed as (
    select
        id as purchase_order_line_id,
        purchase_order_id,
        part_id,
        status,
        description as line_description,
        position,
        quantity,
        received_quantity,
        inventory_quantity,
        cost,
        estimated_cost,
        need_date as needed_at,
        estimated_arrival_date as estimated_arrival_at,
        is_open,
        paid as is_paid,
        {{ is_export_controlled('purchase_order_lines', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
