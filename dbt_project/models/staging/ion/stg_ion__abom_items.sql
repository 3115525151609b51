with source as (
    select * from {{ source('ion', 'abom_items') }}
),

renamed as (
    select
        id as abom_item_id,
        part_inventory_id,
        part_id,
        origin_mbom_item_id,
        expected_quantity_per as quantity_per_parent,
        expected_fixed_quantity as quantity_fixed,
        quantity,
        {{ is_export_controlled('abom_items', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
