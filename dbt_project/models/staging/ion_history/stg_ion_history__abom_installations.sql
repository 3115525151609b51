with source as (
    select * from {{ source('ion_history', 'abom_installations') }}
),

renamed as (
    select
        id as abom_installation_id,
        build_requirement_id,
        part_inventory_id,
        build_requirement_reference_designator_id,
        quantity,
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
