-- Inventories that are split from themselves or from each other, which cannot be. A warning that names them: their
-- pieces count once all the same, the walk to where they came from ends before it comes around.
{{ config(severity='warn') }}

select origins.part_inventory_id
from {{ ref('int_inventories__split_origins') }} as origins
inner join {{ ref('stg_ion__part_inventories') }} as inventories
    on origins.origin_part_inventory_id = inventories.part_inventory_id
where inventories.origin_part_inventory_id = origins.part_inventory_id
group by origins.part_inventory_id
