with source as (
    select * from {{ source('ion_history', 'build_requirement_part_inventories') }}
),

renamed as (
    select
        build_requirement_id,
        part_inventory_id as parent_part_inventory_id,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
