{{ config(materialized='table') }}

with recursive states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

plain_digests as (
    select * from {{ ref('int_abom_history__plain_digests') }}
),

edges as (
    select * from {{ ref('int_abom_history__tree_edges') }}
    where not is_bare
),

-- Height of a state: its longest path down to a state without assemblies. It ends, because cycles are removed.
climbing as (
    {{ rounds_begin() }}
    select distinct
        child_state_id as structure_state_id,
        0 as height
    from edges
    where child_state_id not in (select above.parent_state_id from edges as above)
    {{ rounds_repeat('union') }}
    select
        edges.parent_state_id as structure_state_id,
        climbing.height + 1 as height
    from climbing
    inner join edges on climbing.structure_state_id = edges.child_state_id
    {{ rounds_end() }}
),

heights as (
    select
        structure_state_id,
        max(height) as height
    from climbing
    group by structure_state_id
),

-- The greatest height at which a state above uses the hash.
uses as (
    select
        edges.child_state_id as structure_state_id,
        max(heights.height) as last_height
    from edges
    inner join heights on edges.parent_state_id = heights.structure_state_id
    group by edges.child_state_id
),

nodes as (
    select
        states.structure_state_id,
        states.part_id,
        plain_digests.plain_digest,
        coalesce(heights.height, 0) as height,
        coalesce(uses.last_height, 0) as last_height
    from states
    left join plain_digests on states.structure_state_id = plain_digests.structure_state_id
    left join heights on states.structure_state_id = heights.structure_state_id
    left join uses on states.structure_state_id = uses.structure_state_id
),

high_edges as (
    select
        edges.*,
        heights.height
    from edges
    inner join heights on edges.parent_state_id = heights.structure_state_id
),

-- Works from the bottom up, one height per round; a hash is carried along until the highest state that uses it.
hashed as (
    {{ rounds_begin() }}
    select
        structure_state_id,
        {{ structure_digest('part_id', 'plain_digest', 'null') }} as structure_hash,
        height,
        last_height
    from nodes
    where height = 0
    {{ rounds_repeat('union all') }}
    (
        select
            nodes.structure_state_id,
            {{ structure_digest('nodes.part_id', 'nodes.plain_digest', 'assemblies.assembly_digest') }}
                as structure_hash,
            nodes.height,
            nodes.last_height
        from (
            select
                high_edges.parent_state_id,
                {{ digest_of_all(line_digest(
                    'hashed.structure_hash', 'high_edges.quantity_per_piece', 'high_edges.designator_key'
                )) }} as assembly_digest
            from hashed
            inner join high_edges
                on hashed.structure_state_id = high_edges.child_state_id and hashed.height + 1 = high_edges.height
            where hashed.height < {{ var('abom_max_depth') }}
            group by high_edges.parent_state_id
        ) as assemblies
        inner join nodes on assemblies.parent_state_id = nodes.structure_state_id
        union all
        select
            structure_state_id,
            structure_hash,
            height + 1 as height,
            last_height
        from hashed
        where height + 1 < last_height and height < {{ var('abom_max_depth') }}
    )
    {{ rounds_end() }}
)

select
    structure_state_id,
    min_by(structure_hash, height) as structure_hash
from hashed
group by structure_state_id
