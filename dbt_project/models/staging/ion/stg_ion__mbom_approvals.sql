with source as (
    select * from {{ source('ion', 'mbom_approvals') }}
),

renamed as (
    select
        id as mbom_approval_id,
        mbom_id,
        gate_type,
        role_id,
        reviewer_id,
        parent_id as parent_mbom_approval_id,
        status,
        comment,
        content,
        {{ is_export_controlled('mbom_approvals', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
