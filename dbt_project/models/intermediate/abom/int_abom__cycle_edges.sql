{{ config(materialized='table') }}

with recursive edges as (
    select distinct
        parent_part_inventory_id as parent_id,
        child_part_inventory_id as child_id
    from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
),

-- Leaf stripping, from both ends at once: an edge stays while something is below its child and above its parent.
-- A tree is gone after half its depth; what is left at the end lies in a cycle or between two.
stripped as (
    select
        parent_id,
        child_id,
        0 as round
    from edges

    union all

    select
        parent_id,
        child_id,
        round + 1 as round
    from stripped
    where
        child_id in (select above.parent_id from stripped as above)
        and parent_id in (select below.child_id from stripped as below)
        and round < {{ var('abom_max_depth') }}
),

suspects as (
    select
        parent_id,
        child_id
    from stripped
    where round = {{ var('abom_max_depth') }}
),

-- One wrong installation can put a whole plant on cycles: a product in a lot of bolts that all its assemblies use. The
-- unit installed in most places is then in the middle, and what it leads to and is led to from is one ring with it.
-- Like the next one, this recursion ends by itself: a unit or pair is found once, and there are finitely many.
hub as (
    select child_id as unit_id
    from suspects
    group by child_id
    order by count(*) desc, child_id asc
    limit 1
),

below_hub as (
    select unit_id from hub
    union
    select suspects.child_id as unit_id
    from below_hub
    inner join suspects on below_hub.unit_id = suspects.parent_id
),

above_hub as (
    select unit_id from hub
    union
    select suspects.parent_id as unit_id
    from above_hub
    inner join suspects on above_hub.unit_id = suspects.child_id
),

around_hub as (
    select below_hub.unit_id
    from below_hub
    inner join above_hub on below_hub.unit_id = above_hub.unit_id
),

-- Other cycles do not touch that component, or they would belong to it.
elsewhere as (
    select * from suspects
    where
        parent_id not in (select around_hub.unit_id from around_hub)
        and child_id not in (select around_hub.unit_id from around_hub)
),

reached as (
    select
        parent_id as start_id,
        child_id as reached_id
    from elsewhere

    union

    select
        reached.start_id,
        elsewhere.child_id as reached_id
    from reached
    inner join elsewhere on reached.reached_id = elsewhere.parent_id
),

-- A ring, named by its lowest unit: two units are on the same one exactly when each leads to the other.
rings as (
    select
        there.start_id as unit_id,
        min(there.reached_id) as ring_id
    from reached as there
    inner join reached as back on there.start_id = back.reached_id and there.reached_id = back.start_id
    group by there.start_id

    union all

    select
        unit_id,
        min(unit_id) over () as ring_id
    from around_hub
)

select
    suspects.parent_id as parent_part_inventory_id,
    suspects.child_id as child_part_inventory_id,
    parents.ring_id
from suspects
inner join rings as parents on suspects.parent_id = parents.unit_id
inner join rings as children on suspects.child_id = children.unit_id and parents.ring_id = children.ring_id
