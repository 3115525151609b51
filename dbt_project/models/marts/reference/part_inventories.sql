with inventories as (
    select * from {{ ref('stg_ion__part_inventories') }}
),

parts as (
    select * from {{ ref('parts') }}
),

locations as (
    select * from {{ ref('locations') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

units_of_measurement as (
    select * from {{ ref('stg_ion__units_of_measurement') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('part_inventory') }}
)

select
    inventories.part_inventory_id,
    inventories.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.part_type,
    coalesce(inventories.tracking_type, parts.tracking_type) as tracking_type,
    inventories.serial_number,
    inventories.lot_number,
    inventories.status,
    inventories.quantity,
    inventories.quantity_available,
    inventories.quantity_installed,
    inventories.quantity_kitted,
    inventories.quantity_issued,
    inventories.quantity_scrapped,
    case
        when inventories.unit_of_measure_id is null then parts.unit_of_measure
        else coalesce(units_of_measurement.unit_of_measure, 'unit ' || cast(inventories.unit_of_measure_id as string))
    end as unit_of_measure,
    inventories.location_id,
    locations.location_name,
    locations.location_path,
    inventories.supplier_id,
    suppliers.supplier_name,
    inventories.origin_part_inventory_id,
    inventories.is_installed,
    inventories.is_kitted,
    inventories.is_received,
    inventories.is_unavailable,
    inventories.usage_type,
    inventories.stored_cost,
    inventories.estimated_total_cost,
    inventories.maintenance_status,
    inventories.last_maintained_at,
    inventories.service_due_at,
    attribute_maps.attributes,
    inventories.created_at,
    inventories.created_by_id,
    users.user_name as created_by,
    inventories.updated_at,
    inventories.is_export_controlled
from inventories
left join parts on inventories.part_id = parts.part_id
left join locations on inventories.location_id = locations.location_id
left join suppliers on inventories.supplier_id = suppliers.supplier_id
left join units_of_measurement on inventories.unit_of_measure_id = units_of_measurement.unit_of_measure_id
left join users on inventories.created_by_id = users.user_id
left join attribute_maps on inventories.part_inventory_id = attribute_maps.owner_id
order by inventories.part_inventory_id
