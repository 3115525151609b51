with source as (
    select * from {{ source('ion', 'issue_approval_requests') }}
),

renamed as (
    select
        id as issue_approval_request_id,
        issue_id,
        issue_approval_gate_type,
        role_id,
        assigned_to_id,
        assigned_team_id,
        reviewer_id,
        status,
        {{ is_export_controlled('issue_approval_requests', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
