with source as (
    select * from {{ source('ion', 'issue_relations') }}
),

renamed as (
    select
        origin_issue_id,
        related_issue_id,
        {{ is_export_controlled('issues', 'origin_issue_id') }}
        or {{ is_export_controlled('issues', 'related_issue_id') }}
            as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
