-- What is still missing, and where?
-- $part: product, only units of this part

select
    root.part_number,
    root.serial_number,
    tree.part_number as missing_part,
    tree.quantity_required,
    tree.path_text
from genealogy.abom_hierarchy as tree
inner join reference.part_inventories as root on tree.root_part_inventory_id = root.part_inventory_id
where
    tree.is_open_requirement
    and root.status <> 'SCRAPPED'
    and root.part_number = $part -- if $part
order by root.serial_number, root.part_inventory_id, tree.sort_key
