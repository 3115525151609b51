with source as (
    select * from {{ source('ion', 'purchase_order_approval_requests') }}
),

renamed as (
    select
        id as purchase_order_approval_request_id,
        purchase_order_id,
        reviewer_id,
        status,
        {{ audit_columns() }}
    from source
)

select * from renamed
