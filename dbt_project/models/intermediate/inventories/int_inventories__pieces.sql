with inventories as (
    select * from {{ ref('stg_ion__part_inventories') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
)

select
    inventories.part_inventory_id,
    inventories.part_id,
    parts.part_number,
    parts.part_revision,
    inventories.serial_number,
    inventories.lot_number,
    inventories.supplier_id,
    inventories.status,
    case
        when inventories.serial_number is not null then 1.0
        else coalesce(inventories.quantity, 0.0) + coalesce(inventories.quantity_scrapped, 0.0)
    end as quantity,
    inventories.is_export_controlled
from inventories
left join parts on inventories.part_id = parts.part_id
