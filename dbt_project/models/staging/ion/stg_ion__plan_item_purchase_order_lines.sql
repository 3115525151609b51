with source as (
    select * from {{ source('ion', 'plan_item_purchase_order_lines') }}
),

renamed as (
    select
        plan_item_id,
        purchase_order_line_id
    from source
)

select * from renamed
