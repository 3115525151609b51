with source as (
    select * from {{ source('ion', 'purchase_order_approvals') }}
),

renamed as (
    select
        id as purchase_order_approval_id,
        purchase_order_id,
        status,
        comment,
        reviewer_id,
        parent_id as parent_purchase_order_approval_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
