with units as (
    select * from {{ ref('int_abom_history__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
)

select
    units.part_inventory_id,
    units.valid_from,
    nullif(units.valid_until, {{ end_of_time() }}) as valid_to,
    units.valid_until = {{ end_of_time() }} as is_current,
    units.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    units.serial_number,
    units.lot_number,
    units.tracking_type,
    units.quantity,
    {{ is_export_controlled('part_inventories', 'units.part_inventory_id') }} as is_export_controlled
from units
left join parts on units.part_id = parts.part_id
order by units.part_inventory_id, units.valid_from
