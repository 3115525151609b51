with source as (
    select * from {{ source('ion_history', 'build_requirements') }}
),

renamed as (
    select
        id as build_requirement_id,
        part_id,
        origin_mbom_item_id,
        made_on_assembly as is_made_on_assembly,
        quantity_per_parent_part_inventory as quantity_per_parent,
        fixed_quantity_per_build_requirement as quantity_fixed,
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
