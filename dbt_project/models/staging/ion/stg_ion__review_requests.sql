with source as (
    select * from {{ source('ion', 'review_requests') }}
),

renamed as (
    select
        id as review_request_id,
        procedure_id,
        reviewer_id,
        status,
        {{ is_export_controlled('review_requests', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
