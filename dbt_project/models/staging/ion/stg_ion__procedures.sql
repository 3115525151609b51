with source as (
    select * from {{ source('ion', 'procedures') }}
),

renamed as (
    select
        id as procedure_id,
        family_id as procedure_family_id,
        version as procedure_version,
        title as procedure_title,
        description as procedure_description,
        type as procedure_type,
        status,
        commit_message,
        labels,
        is_latest_version,
        is_latest_released_version,
        {{ is_export_controlled('procedures', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
