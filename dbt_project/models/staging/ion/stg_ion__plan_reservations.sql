with source as (
    select * from {{ source('ion', 'plan_reservations') }}
),

renamed as (
    select
        id as plan_reservation_id,
        plan_id,
        part_inventory_id,
        quantity,
        {{ is_export_controlled('part_inventories', 'part_inventory_id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
