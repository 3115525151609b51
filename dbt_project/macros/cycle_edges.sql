{#-
    The edges of a graph that lie on a cycle, as the end of a `with recursive` that has `edges` (parent_id, child_id):
    the last CTE is `cycle_edges`, with the same columns.
-#}
{% macro cycle_edges() %}
-- Leaf stripping from both ends at once: an edge stays while something is below its child and above its parent. A tree
-- is stripped completely after half its depth; the remaining edges are in a cycle or between two cycles.
stripped as (
    {{ rounds_begin() }}
    select
        parent_id,
        child_id,
        0 as round
    from edges

    {{ rounds_repeat('union all') }}

    select
        parent_id,
        child_id,
        round + 1 as round
    from stripped
    where
        child_id in (select above.parent_id from stripped as above)
        and parent_id in (select below.child_id from stripped as below)
        and round < {{ strip_rounds() }}
    {{ rounds_end() }}
),

suspects as (
    select
        parent_id,
        child_id
    from stripped
    where round = {{ strip_rounds() }}
),

-- One wrong installation can put a whole plant on cycles: a product installed in a lot of bolts that all its assemblies
-- use. The unit installed in most places is then the hub: the units that both lead to it and are reached from it form
-- one component. This recursion and the next one need no cap: each unit or pair is found once, and there are finitely
-- many.
hub as (
    select child_id as unit_id
    from suspects
    group by child_id
    order by count(*) desc, child_id asc
    limit 1
),

below_hub as (
    {{ rounds_begin() }}
    select unit_id from hub
    {{ rounds_repeat('union') }}
    select suspects.child_id as unit_id
    from below_hub
    inner join suspects on below_hub.unit_id = suspects.parent_id
    {{ rounds_end() }}
),

above_hub as (
    {{ rounds_begin() }}
    select unit_id from hub
    {{ rounds_repeat('union') }}
    select suspects.parent_id as unit_id
    from above_hub
    inner join suspects on above_hub.unit_id = suspects.child_id
    {{ rounds_end() }}
),

around_hub as (
    select below_hub.unit_id
    from below_hub
    inner join above_hub on below_hub.unit_id = above_hub.unit_id
),

-- Other cycles share no unit with that component, otherwise they would belong to it.
elsewhere as (
    select *
    from suspects
    where
        parent_id not in (select around_hub.unit_id from around_hub)
        and child_id not in (select around_hub.unit_id from around_hub)
),

reached as (
    {{ rounds_begin() }}
    select
        parent_id as start_id,
        child_id as reached_id
    from elsewhere

    {{ rounds_repeat('union') }}

    select
        reached.start_id,
        elsewhere.child_id as reached_id
    from reached
    inner join elsewhere on reached.reached_id = elsewhere.parent_id
    {{ rounds_end() }}
),

cycle_edges as (
    -- An edge is on a cycle if and only if its child leads back to its parent.
    select
        suspects.parent_id,
        suspects.child_id
    from suspects
    left join reached on suspects.child_id = reached.start_id and suspects.parent_id = reached.reached_id
    where
        suspects.parent_id = suspects.child_id
        or reached.start_id is not null
        or (
            suspects.parent_id in (select around_hub.unit_id from around_hub)
            and suspects.child_id in (select around_hub.unit_id from around_hub)
        )
)
{% endmacro %}
