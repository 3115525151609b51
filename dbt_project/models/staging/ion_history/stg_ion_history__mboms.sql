with source as (
    select * from {{ source('ion_history', 'mboms') }}
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
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
