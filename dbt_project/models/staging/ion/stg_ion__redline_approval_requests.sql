with source as (
    select * from {{ source('ion', 'redline_approval_requests') }}
),

renamed as (
    select
        id as redline_approval_request_id,
        redline_id,
        reviewer_id,
        status,
        {{ is_export_controlled('redline_approval_requests', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
