with source as (
    select * from {{ source('ion', 'part_kit_item_part_inventories') }}
),

renamed as (
    select
        part_kit_item_id,
        part_inventory_id,
        issued_quantity,
        {{ is_export_controlled('part_kit_items', 'part_kit_item_id') }}
        or {{ is_export_controlled('part_inventories', 'part_inventory_id') }}
            as is_export_controlled
    from source
)

select * from renamed
