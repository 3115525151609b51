with source as (
    select * from {{ source('ion', 'plan_item_part_inventories') }}
),

renamed as (
    select
        plan_item_id,
        part_inventory_id
    from source
)

select * from renamed
