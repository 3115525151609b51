{{ config(materialized='table') }}

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
    parts.part_description,
    inventories.serial_number,
    inventories.lot_number,
    coalesce(inventories.tracking_type, parts.tracking_type) as tracking_type,
    -- The divisor for quantities per piece: a lot holds as many pieces as its quantity, any other unit is one piece.
    case
        when coalesce(inventories.tracking_type, parts.tracking_type) = 'LOT' then inventories.quantity
        else 1
    end as pieces,
    coalesce(parts.part_number, 'part ' || cast(inventories.part_id as string), 'unit')
    || ' '
    || coalesce(
        inventories.serial_number, inventories.lot_number, '#' || cast(inventories.part_inventory_id as string)
    ) as unit_label,
    coalesce(inventories.is_export_controlled, false) as is_export_controlled
from inventories
left join parts on inventories.part_id = parts.part_id
order by inventories.part_inventory_id
