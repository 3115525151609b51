with source as (
    select * from {{ source('ion', 'step_approval_requests') }}
),

renamed as (
    select
        id as step_approval_request_id,
        step_id,
        reviewer_id,
        status,
        {{ is_export_controlled('step_approval_requests', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
