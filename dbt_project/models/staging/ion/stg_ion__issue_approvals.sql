with source as (
    select * from {{ source('ion', 'issue_approvals') }}
),

renamed as (
    select
        id as issue_approval_id,
        issue_id,
        issue_approval_gate_type,
        status,
        reviewer_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
