with source as (
    select * from {{ source('ion', 'receipts') }}
),

renamed as (
    select
        id as receipt_id,
        received_at,
        received_by_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
