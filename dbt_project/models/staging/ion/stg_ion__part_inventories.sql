with source as (
    select * from {{ source('ion', 'part_inventories') }}
),

renamed as (
    select
        id as part_inventory_id,
        part_id,
        serial_number,
        lot_number,
        tracking_type,
        status,
        quantity,
        quantity_available,
        quantity_installed,
        quantity_kitted,
        quantity_issued,
        quantity_scrapped,
        unit_of_measure_id,
        location_id,
        supplier_id,
        origin_part_inventory_id,
        installed as is_installed,
        kitted as is_kitted,
        received as is_received,
        unavailable as is_unavailable,
        usage_type,
        stored_cost,
        estimated_total_cost,
        maintenance_status,
        last_maintained_date as last_maintained_at,
        service_due_date as service_due_at,
        {{ is_export_controlled('part_inventories', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
