with source as (
    select * from {{ source('ion', 'redline_approvals') }}
),

renamed as (
    select
        id as redline_approval_id,
        redline_id,
        reviewer_id,
        parent_id as parent_redline_approval_id,
        status,
        comment,
        content,
        {{ is_export_controlled('redline_approvals', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
