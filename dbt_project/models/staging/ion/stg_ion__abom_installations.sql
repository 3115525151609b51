with source as (
    select * from {{ source('ion', 'abom_installations') }}
),

renamed as (
    select
        id as abom_installation_id,
        build_requirement_id,
        part_inventory_id,
        build_requirement_reference_designator_id,
        quantity,
        {{ is_export_controlled('abom_installations', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
