with source as (
    select * from {{ source('ion_history', 'part_inventories') }}
),

renamed as (
    select
        id as part_inventory_id,
        serial_number,
        status,
        quantity,
        quantity_scrapped,
        _updated as updated_at,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
