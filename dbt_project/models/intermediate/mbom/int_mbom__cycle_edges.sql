{{ config(materialized='table') }}

with recursive edges as (
    select distinct
        parent_part_id as parent_id,
        part_id as child_id
    from {{ ref('int_mbom__state_lines') }}
    where is_in_force
),

-- From both ends at once: an edge stays while something is below its child and above its parent. What is left at the
-- end lies in a cycle or between two.
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

-- A pair is found once and there are finitely many, so this ends by itself.
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
select
    suspects.parent_id as parent_part_id,
    suspects.child_id as child_part_id
from suspects
left join reached on suspects.child_id = reached.start_id and suspects.parent_id = reached.reached_id
where suspects.parent_id = suspects.child_id or reached.start_id is not null
