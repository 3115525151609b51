with source as (
    select * from {{ source('ion', 'build_requirement_part_inventories') }}
),

renamed as (
    select
        build_requirement_id,
        part_inventory_id as parent_part_inventory_id
    from source
)

select * from renamed
