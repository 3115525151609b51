{{ config(materialized='table') }}

with recursive edges as (
    select distinct
        parent_part_inventory_id as parent_id,
        child_part_inventory_id as child_id
    from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
),

-- Leaf stripping, from both ends at once: an edge stays while something is below its child and above its parent. A
-- tree is gone after half its depth; what is left at the end lies in a cycle or between two.
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

-- Ends by itself: a pair is found once, and there are finitely many.
reached as (
    select
        parent_id as start_id,
        child_id as reached_id
    from suspects

    union

    select
        reached.start_id,
        suspects.child_id as reached_id
    from reached
    inner join suspects on reached.reached_id = suspects.parent_id
)

-- An edge lies on a cycle exactly when its child leads back to its parent.
select distinct
    suspects.parent_id as parent_part_inventory_id,
    suspects.child_id as child_part_inventory_id
from suspects
left join reached
    on
        suspects.child_id = reached.start_id
        and suspects.parent_id = reached.reached_id
where
    suspects.parent_id = suspects.child_id
    or reached.start_id is not null
