with source as (
    select * from {{ source('ion', 'part_procedures') }}
),

renamed as (
    select
        cast(part_id as bigint) as part_id,
        cast(procedure_id as bigint) as procedure_id,
        status,
        required as is_required,
        {{ is_export_controlled('parts', 'cast(part_id as bigint)') }}
        or {{ is_export_controlled('procedures', 'cast(procedure_id as bigint)') }}
            as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
