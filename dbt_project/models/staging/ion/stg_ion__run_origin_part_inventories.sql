with source as (
    select * from {{ source('ion', 'run_origin_part_inventories') }}
),

renamed as (
    select
        run_id,
        part_inventory_id
    from source
)

select * from renamed
