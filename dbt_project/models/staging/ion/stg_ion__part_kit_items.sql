with source as (
    select * from {{ source('ion', 'part_kit_items') }}
),

renamed as (
    select
        id as part_kit_item_id,
        part_kit_id,
        part_id,
        origin_mbom_item_id,
        quantity,
        quantity_fulfilled,
        quantity_unfulfilled,
        fulfilled as is_fulfilled,
        {{ is_export_controlled('part_kit_items', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
