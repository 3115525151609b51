{{ config(materialized='table') }}

with recursive inventories as (
    select * from {{ ref('stg_ion__part_inventories') }}
),

origins as (
    select
        part_inventory_id,
        part_inventory_id as origin_part_inventory_id,
        0 as depth,
        cast(null as {{ type_instant() }}) as split_at,
        {{ list_with('part_inventory_id') }} as path_ids
    from inventories
    union all
    -- One step up: the inventory that the origin itself was split from, and the time of that split. Where inventories
    -- are split from each other in a cycle, the recursion ends before it repeats one.
    select
        origins.part_inventory_id,
        inventories.origin_part_inventory_id,
        origins.depth + 1 as depth,
        inventories.created_at as split_at,
        {{ list_append('origins.path_ids', 'inventories.origin_part_inventory_id') }} as path_ids
    from origins
    inner join inventories on origins.origin_part_inventory_id = inventories.part_inventory_id
    where
        inventories.origin_part_inventory_id is not null
        and origins.depth < {{ var('split_max_depth') }}
        and not {{ list_has('origins.path_ids', 'inventories.origin_part_inventory_id') }}
)

select
    part_inventory_id,
    origin_part_inventory_id,
    depth,
    split_at
from origins
