with source as (
    select * from {{ source('ion', 'purchase_order_approvals') }}
),

renamed as (
    select
        id as purchase_order_approval_id,
        purchase_order_id,
        reviewer_id,
        parent_id as parent_purchase_order_approval_id,
        status,
        comment,
        content,
        {{ audit_columns() }}
    from source
)

select * from renamed
