-- The as-built tree of a unit in printing order, the unit itself first.
create or replace macro abom_explode(unit) as table
select *
from genealogy.abom_hierarchy
where root_part_inventory_id = unit
order by sort_key;
