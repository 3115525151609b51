with source as (
    select * from {{ source('ion', 'purchase_order_fees') }}
),

renamed as (
    select
        id as purchase_order_fee_id,
        purchase_order_id,
        name as purchase_order_fee_name,
        type as purchase_order_fee_type,
        value,
        {{ audit_columns() }}
    from source
)

select * from renamed
