with inventories as (
    select * from {{ ref('part_inventories') }}
)

select
    cast(part_id as string)
    || ':' || coalesce(cast(location_id as string), '')
    || ':' || coalesce(unit_of_measure, '') as part_location_key,
    part_id,
    part_number,
    part_revision,
    part_description,
    location_id,
    location_name,
    location_path,
    unit_of_measure,
    count(*) as inventory_count,
    count(serial_number) as serial_count,
    count(*) filter (where serial_number is null and lot_number is not null) as lot_count,
    coalesce(sum(quantity) filter (where status is distinct from 'ON_ORDER'), 0) as quantity_held,
    sum(quantity_available) as quantity_available,
    sum(quantity_installed) as quantity_installed,
    sum(quantity_kitted) as quantity_kitted,
    coalesce(sum(quantity) filter (where status = 'WIP'), 0) as quantity_in_work,
    coalesce(sum(quantity) filter (where status = 'UNAVAILABLE'), 0) as quantity_unavailable,
    coalesce(sum(quantity) filter (where status = 'ON_ORDER'), 0) as quantity_on_order,
    sum(quantity_scrapped) as quantity_scrapped,
    bool_or(is_export_controlled) as is_export_controlled
from inventories
group by
    part_id, part_number, part_revision, part_description, location_id, location_name, location_path, unit_of_measure
order by part_number, part_id, location_path, unit_of_measure
