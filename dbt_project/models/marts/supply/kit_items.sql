with items as (
    select * from {{ ref('stg_ion__part_kit_items') }}
),

kits as (
    select * from {{ ref('stg_ion__part_kits') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

units_of_measurement as (
    select * from {{ ref('stg_ion__units_of_measurement') }}
),

picked as (
    select
        part_kit_item_id,
        count(*) as inventory_count,
        sum(issued_quantity) as quantity_picked
    from {{ ref('stg_ion__part_kit_item_part_inventories') }}
    group by part_kit_item_id
),

-- Inventory in another unit than that of its part is left out: its quantity cannot be compared.
in_stock as (
    select
        inventories.part_id,
        sum(inventories.quantity_available) as quantity_available
    from {{ ref('stg_ion__part_inventories') }} as inventories
    left join parts on inventories.part_id = parts.part_id
    where
        inventories.status is distinct from 'ON_ORDER'
        and coalesce(inventories.unit_of_measure_id, parts.unit_of_measure_id)
        is not distinct from parts.unit_of_measure_id
    group by inventories.part_id
),

measured as (
    select
        items.*,
        kits.status as kit_status,
        kits.run_id,
        {{ kit_is_open('kits.status') }} as is_kit_open,
        picked.inventory_count,
        picked.quantity_picked,
        coalesce(
            items.quantity_unfulfilled, greatest(items.quantity - coalesce(picked.quantity_picked, 0), 0)
        ) as quantity_short
    from items
    left join kits on items.part_kit_id = kits.part_kit_id
    left join picked on items.part_kit_item_id = picked.part_kit_item_id
)

select
    measured.part_kit_item_id,
    measured.part_kit_id,
    measured.kit_status,
    measured.is_kit_open,
    measured.run_id,
    measured.part_id,
    parts.part_number,
    parts.part_revision,
    measured.origin_mbom_item_id,
    measured.quantity as quantity_wanted,
    measured.quantity_fulfilled,
    measured.quantity_short,
    coalesce(measured.quantity_picked, 0) as quantity_picked,
    coalesce(measured.inventory_count, 0) as inventory_count,
    units_of_measurement.unit_of_measure,
    measured.is_fulfilled,
    measured.quantity_short > 0 as is_short,
    coalesce(in_stock.quantity_available, 0) as quantity_in_stock,
    case
        when measured.is_kit_open then greatest(measured.quantity_short - coalesce(in_stock.quantity_available, 0), 0)
    end as quantity_short_of_stock,
    measured.created_at,
    measured.updated_at,
    coalesce(measured.is_export_controlled, false) as is_export_controlled
from measured
left join parts on measured.part_id = parts.part_id
left join units_of_measurement on parts.unit_of_measure_id = units_of_measurement.unit_of_measure_id
left join in_stock on measured.part_id = in_stock.part_id
order by measured.part_kit_item_id
