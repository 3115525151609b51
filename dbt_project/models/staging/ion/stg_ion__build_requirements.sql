with source as (
    select * from {{ source('ion', 'build_requirements') }}
),

renamed as (
    select
        id as build_requirement_id,
        part_id,
        origin_mbom_item_id,
        made_on_assembly as is_made_on_assembly,
        quantity_per_parent_part_inventory as quantity_per_parent,
        fixed_quantity_per_build_requirement as quantity_fixed,
        {{ is_export_controlled('build_requirements', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
