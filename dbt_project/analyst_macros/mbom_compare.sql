-- Two plans, line by line and at every level: what was added, removed, replaced or changed, with before and after.
-- The rules are those of genealogy.mbom_version_changes. Below a line that is not in the other plan everything counts
-- as added or removed; `indirect` is a line that says the same while something below it changed.

create or replace macro mbom_compare_trees(mbom_a, number_a, until_a, mbom_b, number_b, until_b) as table
with recursive tree_a as materialized (
    select * from mbom_tree(mbom_a, number_a, until_a)
),

tree_b as materialized (
    select * from mbom_tree(mbom_b, number_b, until_b)
),

-- The assemblies that may have to be compared: those at the top, and below them any two revisions of one part.
pairs as materialized (
    select distinct
        a.part_mbom_id as id_a,
        a.part_state_number as state_a,
        b.part_mbom_id as id_b,
        b.part_state_number as state_b
    from tree_a as a
    inner join tree_b as b
        on (a.depth = 0 and b.depth = 0) or (a.depth > 0 and b.depth > 0 and a.revision_family_id = b.revision_family_id)
    where a.part_mbom_id is not null and b.part_mbom_id is not null
),

lines as materialized (
    select
        'a' as side,
        row(p.id_a, p.state_a, p.id_b, p.state_b) as pair,
        l.*
    from pairs as p
    inner join genealogy.mbom_lines as l on p.id_a = l.mbom_id and p.state_a = l.state_number
    union all
    select
        'b' as side,
        row(p.id_a, p.state_a, p.id_b, p.state_b) as pair,
        l.*
    from pairs as p
    inner join genealogy.mbom_lines as l on p.id_b = l.mbom_id and p.state_b = l.state_number
),

-- An edited line is the same line whatever it says now: its id is a place that it shares with itself.
places as materialized (
    select
        l.*,
        unnest(list_append([{'line': null, 'place': d} for d in l.reference_designators], {'line': l.mbom_item_id, 'place': null}))
            as place
    from lines as l
),

shared as materialized (
    select
        b.pair,
        a.mbom_item_id as item_a,
        b.mbom_item_id as item_b,
        row(
            a.mbom_item_id <> b.mbom_item_id,
            a.part_id <> b.part_id,
            coalesce(a.revision_family_id <> b.revision_family_id, true),
            -count(*)
        ) as distance
    from places as a
    inner join places as b on a.pair = b.pair and a.place is not distinct from b.place
    where a.side = 'a' and b.side = 'b'
    group by b.pair, a.mbom_item_id, b.mbom_item_id, a.part_id, b.part_id, a.revision_family_id, b.revision_family_id
),

-- Two lines that share a place are one where each is the nearest to the other.
paired_0 as materialized (
    select
        s.pair,
        s.item_a,
        s.item_b
    from shared as s
    qualify
        row_number() over (partition by s.pair, s.item_a order by s.distance, s.item_b) = 1
        and row_number() over (partition by s.pair, s.item_b order by s.distance, s.item_a) = 1
),

-- What no place tells, the part does: the same quantity of it, then the same revision, then another one.
numbered_1 as materialized (
    select
        l.*,
        row_number() over (
            partition by l.side, l.pair, l.part_id, l.quantity order by l.mbom_item_id
        ) as number
    from lines as l
    anti join paired_0 as p on l.pair = p.pair and l.mbom_item_id = case when l.side = 'a' then p.item_a else p.item_b end
),

paired_1 as materialized (
    select * from paired_0
    union all
    select
        a.pair,
        a.mbom_item_id,
        b.mbom_item_id
    from numbered_1 as a
    inner join numbered_1 as b
        on a.pair = b.pair and a.part_id = b.part_id and a.quantity = b.quantity and a.number = b.number
    where a.side = 'a' and b.side = 'b'
),

numbered_2 as materialized (
    select
        l.*,
        row_number() over (
            partition by l.side, l.pair, l.part_id order by l.quantity, l.mbom_item_id
        ) as number
    from lines as l
    anti join paired_1 as p on l.pair = p.pair and l.mbom_item_id = case when l.side = 'a' then p.item_a else p.item_b end
),

paired_2 as materialized (
    select * from paired_1
    union all
    select
        a.pair,
        a.mbom_item_id,
        b.mbom_item_id
    from numbered_2 as a
    inner join numbered_2 as b on a.pair = b.pair and a.part_id = b.part_id and a.number = b.number
    where a.side = 'a' and b.side = 'b'
),

numbered_3 as materialized (
    select
        l.*,
        row_number() over (
            partition by l.side, l.pair, l.revision_family_id order by l.quantity, l.mbom_item_id
        ) as number
    from lines as l
    anti join paired_2 as p on l.pair = p.pair and l.mbom_item_id = case when l.side = 'a' then p.item_a else p.item_b end
),

paired_3 as materialized (
    select * from paired_2
    union all
    select
        a.pair,
        a.mbom_item_id,
        b.mbom_item_id
    from numbered_3 as a
    inner join numbered_3 as b
        on a.pair = b.pair and a.revision_family_id = b.revision_family_id and a.number = b.number
    where a.side = 'a' and b.side = 'b'
),

-- Down both trees at once, along lines that are the same in both.
same as (
    select
        a as node_a,
        b as node_b
    from tree_a as a
    cross join tree_b as b
    where a.depth = 0 and b.depth = 0

    union all

    select
        a as node_a,
        b as node_b
    from same as s
    inner join paired_3 as p
        on
            p.pair
            = row(
                s.node_a.part_mbom_id, s.node_a.part_state_number, s.node_b.part_mbom_id, s.node_b.part_state_number
            )
    inner join tree_a as a on a.path_key = s.node_a.path_key || '/m' || p.item_a
    inner join tree_b as b on b.path_key = s.node_b.path_key || '/m' || p.item_b
    where s.node_a.depth < 64
),

nodes as materialized (
    select
        s.node_a,
        s.node_b
    from same as s
    where s.node_a.depth > 0
    union all
    select
        a as node_a,
        null as node_b
    from tree_a as a
    anti join same as s on a.path_key = s.node_a.path_key
    union all
    select
        null as node_a,
        b as node_b
    from tree_b as b
    anti join same as s on b.path_key = s.node_b.path_key
),

-- One row per line and thing that may differ; what does not is null.
found_or_not as materialized (
    select
        n.node_a,
        n.node_b,
        unnest([
            case when n.node_a is null then row('added', null, cast(n.node_b.quantity as varchar)) end,
            case when n.node_b is null then row('removed', cast(n.node_a.quantity as varchar), null) end,
            case
                when n.node_a.part_id <> n.node_b.part_id and n.node_a.revision_family_id = n.node_b.revision_family_id
                    then row('revision_changed', n.node_a.part_revision, n.node_b.part_revision)
                when n.node_a.part_id <> n.node_b.part_id
                    then row('part_replaced', n.node_a.part_number, n.node_b.part_number)
            end,
            case
                when n.node_a.quantity <> n.node_b.quantity
                    then
                        row('quantity_changed', cast(n.node_a.quantity as varchar), cast(n.node_b.quantity as varchar))
            end,
            case
                when n.node_a.is_made_on_assembly <> n.node_b.is_made_on_assembly
                    then
                        row(
                            'made_on_assembly_changed',
                            cast(n.node_a.is_made_on_assembly as varchar),
                            cast(n.node_b.is_made_on_assembly as varchar)
                        )
            end
        ]) as found
    from nodes as n
    union all
    select
        n.node_a,
        n.node_b,
        unnest(
            [
                row('designator_removed', d, null)
                for d in n.node_a.reference_designators
                if not list_contains(n.node_b.reference_designators, d)
            ]
            || [
                row('designator_added', null, d)
                for d in n.node_b.reference_designators
                if not list_contains(n.node_a.reference_designators, d)
            ]
            || [
                row('substitute_removed', n.node_a.substitute_part_numbers[i], null)
                for i in range(1, len(n.node_a.substitute_part_ids) + 1)
                if not list_contains(n.node_b.substitute_part_ids, n.node_a.substitute_part_ids[i])
            ]
            || [
                row('substitute_added', null, n.node_b.substitute_part_numbers[i])
                for i in range(1, len(n.node_b.substitute_part_ids) + 1)
                if not list_contains(n.node_a.substitute_part_ids, n.node_b.substitute_part_ids[i])
            ]
        ) as found
    from nodes as n
    where n.node_a is not null and n.node_b is not null
),

changes as materialized (
    select *
    from found_or_not as f
    where f.found is not null
),

indirect as materialized (
    select
        n.node_a,
        n.node_b,
        row('indirect', cast(null as varchar), cast(null as varchar)) as found
    from nodes as n
    semi join changes as c
        on
            starts_with(c.node_a.path_key, n.node_a.path_key || '/')
            or starts_with(c.node_b.path_key, n.node_b.path_key || '/')
    anti join changes as own on n.node_a.path_key = own.node_a.path_key and n.node_b.path_key = own.node_b.path_key
    where n.node_a is not null and n.node_b is not null
),

told as (
    select * from changes
    union all
    select * from indirect
)

select
    t.found[1] as change,
    coalesce(t.node_b.depth, t.node_a.depth) as depth,
    coalesce(t.node_a.part_number, t.node_b.part_number) as part_number,
    t.found[2] as value_before,
    t.found[3] as value_after,
    t.node_a.quantity as quantity_before,
    t.node_b.quantity as quantity_after,
    t.node_a.quantity_extended as quantity_extended_before,
    t.node_b.quantity_extended as quantity_extended_after,
    t.node_a.path_text as path_before,
    t.node_b.path_text as path_after,
    t.node_a.part_id as part_id_before,
    t.node_b.part_id as part_id_after,
    t.node_a.mbom_item_id as mbom_item_id_before,
    t.node_b.mbom_item_id as mbom_item_id_after,
    t.node_a.path_key as path_key_before,
    t.node_b.path_key as path_key_after,
    t.node_a.path_ids as path_ids_before,
    t.node_b.path_ids as path_ids_after,
    coalesce(t.node_b.sort_key, t.node_a.sort_key) as sort_key
from told as t
order by sort_key, t.node_a.sort_key, change, value_before, value_after;

-- Any two mBOM versions, each as it last stood, with the plans below it as they were then.
create or replace macro mbom_compare(mbom_a, mbom_b) as table
select *
from mbom_compare_trees(
    mbom_a,
    mbom_last(mbom_a).state_number,
    mbom_last(mbom_a).stood_until,
    mbom_b,
    mbom_last(mbom_b).state_number,
    mbom_last(mbom_b).stood_until
)
order by sort_key, change, value_before, value_after;

-- The plan of a part revision at one instant against the one at another.
create or replace macro mbom_compare_as_of(part_number, revision, instant_a, instant_b) as table
select *
from mbom_compare_trees(
    mbom_in_force(part_number, revision, cast(instant_a as timestamptz)).mbom_id,
    mbom_in_force(part_number, revision, cast(instant_a as timestamptz)).state_number,
    cast(instant_a as timestamptz) + interval 1 microsecond,
    mbom_in_force(part_number, revision, cast(instant_b as timestamptz)).mbom_id,
    mbom_in_force(part_number, revision, cast(instant_b as timestamptz)).state_number,
    cast(instant_b as timestamptz) + interval 1 microsecond
)
order by sort_key, change, value_before, value_after;
