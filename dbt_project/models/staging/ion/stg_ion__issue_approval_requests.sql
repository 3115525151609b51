with source as (
    select * from {{ source('ion', 'issue_approval_requests') }}
),

renamed as (
    select
        id as issue_approval_request_id,
        issue_id,
        issue_approval_gate_type,
        status,
        {{ audit_columns() }}
    from source
)

select * from renamed
