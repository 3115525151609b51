-- Two plans, line by line and at every level: what was added, removed, replaced or changed, with before and after.
-- The rules are those of genealogy.mbom_version_changes. Below a line that is not in the other plan everything counts
-- as added or removed; `indirect` is a line that says the same while something below it changed.
-- A published macro has lost `as materialized` (the older format has no place for it), and DuckDB 1.1 writes out a CTE once
-- for each use of it, with all that is in it. So here each is used once, as far as that goes.

create or replace macro mbom_compare_trees(mbom_a, number_a, until_a, mbom_b, number_b, until_b) as table
with recursive tree_a as (
    select * from mbom_tree(mbom_a, number_a, until_a)
),

tree_b as (
    select * from mbom_tree(mbom_b, number_b, until_b)
),

-- The assemblies that may have to be compared: those at the top, and below them any two revisions of one part.
pairs as (
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

sides as (
    select
        row(p.id_a, p.state_a, p.id_b, p.state_b) as pair,
        unnest([
            {'side': 'a', 'mbom_id': p.id_a, 'state_number': p.state_a},
            {'side': 'b', 'mbom_id': p.id_b, 'state_number': p.state_b}
        ]) as plan
    from pairs as p
),

lines as (
    select
        s.plan.side as side,
        s.pair,
        l.*
    from sides as s
    inner join genealogy.mbom_lines as l on s.plan.mbom_id = l.mbom_id and s.plan.state_number = l.state_number
),

-- An edited line is the same line whatever it says now: its id is a place that it shares with itself.
places as (
    select
        l.*,
        unnest(list_append([{'line': null, 'place': d} for d in l.reference_designators], {'line': l.mbom_item_id, 'place': null}))
            as place
    from lines as l
),

occupied as (
    select
        p.pair,
        list(p) filter (where p.side = 'a') as lines_a,
        unnest(list(p) filter (where p.side = 'b')) as b
    from places as p
    group by p.pair, p.place
),

met as (
    select
        o.pair,
        unnest(o.lines_a) as a,
        o.b
    from occupied as o
),

shared as (
    select
        m.pair,
        m.a.mbom_item_id as item_a,
        m.b.mbom_item_id as item_b,
        row(
            m.a.mbom_item_id <> m.b.mbom_item_id,
            m.a.part_id <> m.b.part_id,
            coalesce(m.a.revision_family_id <> m.b.revision_family_id, true),
            -count(*)
        ) as distance
    from met as m
    group by
        m.pair, m.a.mbom_item_id, m.b.mbom_item_id, m.a.part_id, m.b.part_id, m.a.revision_family_id,
        m.b.revision_family_id
),

-- Two lines that share a place are one where each is the nearest to the other.
nearest as (
    select
        s.pair,
        s.item_a,
        s.item_b
    from shared as s
    qualify
        row_number() over (partition by s.pair, s.item_a order by s.distance, s.item_b) = 1
        and row_number() over (partition by s.pair, s.item_b order by s.distance, s.item_a) = 1
),

-- What no place tells, the part does: in the first turn the same quantity of it, in the second the same revision, in the
-- third another one. A row is a line that has no partner yet, or a line of each plan.
matching as (
    select
        l.pair,
        1 as turn,
        case when l.side = 'a' then l.mbom_item_id end as item_a,
        case when l.side = 'a' then n.item_b else l.mbom_item_id end as item_b,
        l.part_id,
        l.revision_family_id,
        l.quantity
    from lines as l
    left join nearest as n on l.pair = n.pair and l.mbom_item_id = case when l.side = 'a' then n.item_a else n.item_b end
    where l.side = 'a' or n.item_a is null

    union all

    (
        with keyed as (
            select
                *,
                case when turn < 3 then part_id else revision_family_id end as part_key,
                case when turn = 1 then quantity end as quantity_key,
                -- A line that says nothing in this turn stays by itself.
                case
                    when (turn < 3 and part_id is null)
                        or (turn = 3 and revision_family_id is null)
                        or (turn = 1 and quantity is null)
                        then coalesce(item_a, item_b)
                end as alone
            from matching
            where (item_a is null or item_b is null) and turn <= 3
        ),

        numbered as (
            select
                *,
                item_a is null as is_b,
                row_number() over (
                    partition by pair, item_a is null, part_key, quantity_key, alone
                    order by quantity, item_a, item_b
                ) as number
            from keyed
        )

        select
            pair,
            turn + 1 as turn,
            max(item_a) as item_a,
            max(item_b) as item_b,
            any_value(part_id) as part_id,
            any_value(revision_family_id) as revision_family_id,
            any_value(quantity) as quantity
        from numbered
        group by pair, turn, part_key, quantity_key, number, alone, case when alone is not null then is_b end
    )
),

-- Where a line of both plans stands in the two trees: there, below that place.
steps as (
    select list({
        'above': {
            'a': left(a.path_key, len(a.path_key) - len('/m' || a.mbom_item_id)),
            'b': left(b.path_key, len(b.path_key) - len('/m' || b.mbom_item_id))
        },
        'here': {'a': a.path_key, 'b': b.path_key}
    }) as steps
    from matching as m
    inner join tree_a as a on m.item_a = a.mbom_item_id
    inner join tree_b as b on m.item_b = b.mbom_item_id
),

-- Down both trees at once, along lines that are the same in both. A turn is one row that carries the steps: what else a
-- turn reads would be made anew in every turn.
levels as (
    select
        0 as depth,
        [{'a': '', 'b': ''}] as level,
        coalesce(steps.steps, []) as steps
    from steps

    union all

    select
        depth + 1 as depth,
        [step.here for step in steps if list_contains(level, step.above)] as level,
        steps
    from levels
    where len(level) > 0 and depth < 64
),

same as (
    select
        place.a as path_a,
        place.b as path_b
    from (select unnest(level) as place from levels) as reached
),

nodes as (
    select
        case when a.path_key is not null then a end as node_a,
        case when b.path_key is not null then b end as node_b
    from tree_a as a
    left join same as s on a.path_key = s.path_a
    full outer join tree_b as b on s.path_b = b.path_key
),

-- What differs in the line itself: one entry per thing.
found as (
    select
        n.node_a,
        n.node_b,
        [
            entry for entry in [
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
            ]
            if entry is not null
        ]
        || case
            when n.node_a is not null and n.node_b is not null
                then
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
            else []
        end as entries
    from nodes as n
    -- The plans themselves are the question, if both are there.
    where n.node_a is null or n.node_b is null or n.node_a.depth > 0
),

judged as (
    select
        f.node_a,
        f.node_b,
        f.entries,
        list(f.node_a.path_key) filter (where f.node_a is not null and len(f.entries) > 0) over () as changed_a,
        list(f.node_b.path_key) filter (where f.node_b is not null and len(f.entries) > 0) over () as changed_b
    from found as f
),

told as (
    select
        j.node_a,
        j.node_b,
        unnest(
            case
                when len(j.entries) > 0 then j.entries
                when
                    len([p for p in j.changed_a if starts_with(p, j.node_a.path_key || '/')]) > 0
                    or len([p for p in j.changed_b if starts_with(p, j.node_b.path_key || '/')]) > 0
                    then [row('indirect', cast(null as varchar), cast(null as varchar))]
                else []
            end
        ) as found
    from judged as j
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
