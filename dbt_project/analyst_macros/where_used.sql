-- Every unit that contains a unit or lot, the nearest first.
create or replace macro where_used(unit) as table
select *
from genealogy.abom_where_used
where component_part_inventory_id = unit
order by min_depth, ancestor_part_number, ancestor_serial_number, ancestor_part_inventory_id;
