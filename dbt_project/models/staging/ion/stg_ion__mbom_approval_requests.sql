with source as (
    select * from {{ source('ion', 'mbom_approval_requests') }}
),

renamed as (
    select
        id as mbom_approval_request_id,
        mbom_id,
        gate_type,
        role_id,
        assigned_to_id,
        assigned_team_id,
        reviewer_id,
        status,
        {{ is_export_controlled('mbom_approval_requests', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
