-- Plans as trees. `order by sort_key` prints them; quantity_extended is per piece of the root.

-- The released plan of a part revision, at every level.
create or replace macro mbom_explode(part_number, revision) as table
select h.*
from genealogy.mbom_hierarchy as h
where h.root_part_number = part_number and h.root_part_revision = revision
order by h.sort_key;

-- Any version (draft, released or archived) in its last state, with the plans in force below it at the end of that
-- state.
create or replace macro mbom_explode_version(mbom) as table
select *
from mbom_tree(mbom_last(mbom))
order by sort_key;
