with source as (
    select * from {{ source('ion', 'step_approvals') }}
),

renamed as (
    select
        id as step_approval_id,
        step_id,
        reviewer_id,
        parent_id as parent_step_approval_id,
        status,
        comment,
        content,
        {{ is_export_controlled('step_approvals', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
