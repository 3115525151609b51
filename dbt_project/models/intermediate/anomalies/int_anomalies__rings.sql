{{ config(materialized='table') }}

-- The quarantined edges form cycle groups (strongly connected components), in which every unit leads to every other.
with recursive edges as (
    select * from {{ ref('int_abom__cycle_edges') }}
),

-- One group may span a whole plant, so it is found once, from its busiest unit, not from each of its units.
hub as (
    select parent_part_inventory_id as part_inventory_id
    from edges
    group by parent_part_inventory_id
    order by count(*) desc, parent_part_inventory_id asc
    limit 1
),

around_hub as (
    {{ rounds_begin() }}
    select part_inventory_id from hub
    {{ rounds_repeat('union') }}
    select edges.child_part_inventory_id as part_inventory_id
    from around_hub
    inner join edges on around_hub.part_inventory_id = edges.parent_part_inventory_id
    {{ rounds_end() }}
),

elsewhere as (
    select * from edges
    where parent_part_inventory_id not in (select around_hub.part_inventory_id from around_hub)
),

-- These recursions need no cap: each unit or pair is found once, and there are finitely many.
reached as (
    {{ rounds_begin() }}
    select
        parent_part_inventory_id as part_inventory_id,
        child_part_inventory_id as reached_id
    from elsewhere
    {{ rounds_repeat('union') }}
    select
        reached.part_inventory_id,
        elsewhere.child_part_inventory_id as reached_id
    from reached
    inner join elsewhere on reached.reached_id = elsewhere.parent_part_inventory_id
    {{ rounds_end() }}
),

rings as (
    select
        part_inventory_id,
        min(part_inventory_id) over () as ring_id
    from around_hub

    union

    select
        part_inventory_id,
        min(reached_id) as ring_id
    from reached
    group by part_inventory_id
)

select * from rings
