-- Inventories that are split from themselves or from each other, which is impossible. Severity warn: lists them. Their
-- pieces still count once, because the recursion through origins ends before it repeats one.
{{ config(severity='warn') }}

select origins.part_inventory_id
from {{ ref('int_inventories__split_origins') }} as origins
inner join {{ ref('stg_ion__part_inventories') }} as inventories
    on origins.origin_part_inventory_id = inventories.part_inventory_id
where inventories.origin_part_inventory_id = origins.part_inventory_id
group by origins.part_inventory_id
