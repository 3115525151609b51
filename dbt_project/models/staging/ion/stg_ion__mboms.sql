with source as (
    select * from {{ source('ion', 'mboms') }}
),

renamed as (
    select
        id as mbom_id,
        part_id,
        version as mbom_version,
        status,
        is_latest_version,
        is_latest_released_version,
        editable as is_editable,
        {{ is_export_controlled('mboms', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
