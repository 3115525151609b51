with source as (
    select * from {{ source('ion', 'parts') }}
),

renamed as (
    select
        id as part_id,
        part_number,
        revision as part_revision,
        description as part_description,
        part_type,
        tracking_type,
        sourcing_strategy,
        revised_from_id as revised_from_part_id,
        revision_scheme,
        is_latest_revision,
        unit_of_measure_id,
        supplier_part_number,
        lead_time,
        cost,
        maintenance_interval_seconds,
        {{ is_export_controlled('parts', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
