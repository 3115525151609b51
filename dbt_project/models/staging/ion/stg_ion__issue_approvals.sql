with source as (
    select * from {{ source('ion', 'issue_approvals') }}
),

renamed as (
    select
        id as issue_approval_id,
        issue_id,
        issue_approval_gate_type,
        status,
        role_id,
        reviewer_id,
        parent_id as parent_issue_approval_id,
        comment,
        content,
        {{ is_export_controlled('issue_approvals', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
