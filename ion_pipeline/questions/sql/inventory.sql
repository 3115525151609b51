-- Stock of a part by location
-- $part: product, part number = PLT-STOCK

select location_path, part_revision, inventory_count, quantity_held, quantity_available
from production.inventory_by_location
where part_number = $part
order by location_path
