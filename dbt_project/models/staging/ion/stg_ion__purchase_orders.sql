with source as (
    select * from {{ source('ion', 'purchase_orders') }}
),

renamed as (
    select
        id as purchase_order_id,
        description as purchase_order_description,
        supplier_id,
        status,
        ordered_at,
        currency_id,
        need_date as needed_at,
        estimated_arrival_date as estimated_arrival_at,
        estimated_cost,
        estimated_total_cost,
        ship_to_location_id,
        bill_to_location_id,
        supplier_instructions,
        is_open,
        approved as is_approved,
        paid as is_paid,
        assigned_to_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
