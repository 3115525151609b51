-- Which finished units do not conform to their plans, and where?
-- $part: product, only units of this part = PLT-TOP

select serial_number, verdict, line_count, nonconforming_line_count, missing_count, array_to_string(places, '; ') as places
from genealogy.unit_conformance
where
    verdict <> 'conforming'
    and part_number = $part -- if $part
order by part_number, serial_number, part_inventory_id
