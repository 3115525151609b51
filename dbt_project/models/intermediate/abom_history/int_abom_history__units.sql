{{ config(materialized='table') }}

with versions as (
    {{ spans_of(ref('stg_ion_history__part_inventories')) }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

units as (
    select
        versions.part_inventory_id,
        versions.part_id,
        versions.serial_number,
        versions.lot_number,
        coalesce(versions.tracking_type, parts.tracking_type) as tracking_type,
        versions.quantity,
        case
            when coalesce(versions.tracking_type, parts.tracking_type) = 'LOT' then versions.quantity
            else 1
        end as pieces,
        versions.valid_from,
        versions.valid_until
    from versions
    left join parts on versions.part_id = parts.part_id
),

-- A version of ION's row that changes only the location or the status does not start a new period.
merged as (
    {{ merged_spans(
        'units', 'part_inventory_id',
        ['part_id', 'serial_number', 'lot_number', 'tracking_type', 'quantity', 'pieces']
    ) }}
)

select * from merged
order by part_inventory_id, valid_from
