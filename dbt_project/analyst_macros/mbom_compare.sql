-- Compares two plans line by line at every level: what was added, removed, replaced or changed, with values before and
-- after. The rules are those of genealogy.mbom_version_changes. If a line exists in only one plan, everything under it
-- counts as added or removed; `indirect` is an unchanged line under which something changed. The differences between
-- two lines are computed once per pair of plans, not for each place of the pair in the trees. A published macro loses
-- `as materialized` (the older file format cannot store it), and DuckDB 1.1 computes a CTE again for each use and in
-- each round of a recursion: so CTEs that are used several times are kept small.

create or replace macro mbom_compare_trees(plan_a, plan_b) as table
with recursive in_force as (
    select
        s.*,
        s.side || ':' || s.mbom_id || '.' || s.state_number || ';' as plan_key
    from mbom_standing([plan_a, plan_b]) as s
),

-- Every plan in the two trees; a plan that is in both has two rows.
plans as (
    select
        t.side,
        t.plan.mbom_id as mbom_id,
        t.plan.state_number as state_number,
        true as is_top
    from (
        select
            unnest([1, 2]) as side,
            unnest([plan_a, plan_b]) as plan
    ) as t
    where t.plan.mbom_id is not null

    union

    select
        p.side,
        s.mbom_id,
        s.state_number,
        false as is_top
    from plans as p
    inner join genealogy.mbom_lines as l on p.mbom_id = l.mbom_id and p.state_number = l.state_number
    inner join in_force as s on p.side = s.side and l.part_id = s.part_id
),

-- The plans with their parts; a plan that is at the top and also below itself has one row.
known as (
    select
        p.side,
        p.mbom_id,
        p.state_number,
        p.side || ':' || p.mbom_id || '.' || p.state_number || ';' as plan_key,
        bool_or(p.is_top) as is_top,
        any_value(v.part_id) as part_id,
        any_value(v.part_number) as part_number,
        any_value(v.part_revision) as part_revision,
        any_value(v.revision_family_id) as revision_family_id
    from plans as p
    inner join genealogy.mbom_versions as v on p.mbom_id = v.mbom_id and p.state_number = v.state_number
    group by p.side, p.mbom_id, p.state_number
),

-- Each top plan gets a line of its own above all others, with 0 as its item id.
plan_lines as (
    select
        k.side,
        k.plan_key,
        false as is_top,
        l.mbom_item_id,
        '/' || length(cast(l.line_number as varchar)) || l.line_number as sort_key,
        l.part_id,
        l.part_number,
        l.part_revision,
        l.revision_family_id,
        l.quantity,
        l.is_made_on_assembly,
        l.designator_places,
        l.substitute_part_ids,
        l.substitute_part_numbers,
        s.plan_key as part_plan_key
    from known as k
    inner join genealogy.mbom_lines as l on k.mbom_id = l.mbom_id and k.state_number = l.state_number
    left join in_force as s on k.side = s.side and l.part_id = s.part_id

    union all

    select
        k.side,
        '' as plan_key,
        true as is_top,
        0 as mbom_item_id,
        '' as sort_key,
        k.part_id,
        k.part_number,
        k.part_revision,
        k.revision_family_id,
        1 as quantity,
        false as is_made_on_assembly,
        cast([] as varchar[]) as designator_places,
        cast([] as bigint[]) as substitute_part_ids,
        cast([] as varchar[]) as substitute_part_numbers,
        k.plan_key as part_plan_key
    from known as k
    where k.is_top
),

-- Candidate pairs of assemblies: the two top plans and, under them, any two revisions of one part.
pairs as (
    select
        unnest([1, 2]) as side,
        unnest([a.plan_key, b.plan_key]) as plan_key,
        a.plan_key || b.plan_key as pair
    from known as a
    inner join known as b
        on (a.is_top and b.is_top) or (not a.is_top and not b.is_top and a.revision_family_id = b.revision_family_id)
    where a.side = 1 and b.side = 2
),

lines as (
    select
        p.pair,
        l.side,
        l.mbom_item_id,
        l.part_id,
        l.revision_family_id,
        l.quantity,
        l.designator_places
    from pairs as p
    inner join plan_lines as l on p.side = l.side and p.plan_key = l.plan_key
),

-- An edited line stays the same line, whatever its new content: its id counts as a place that both versions share.
places as (
    select
        l.pair,
        l.side,
        {'item_id': l.mbom_item_id, 'part_id': l.part_id, 'revision_family_id': l.revision_family_id} as line,
        unnest(
            list_append(
                [{'line': null, 'place': d} for d in l.designator_places], {'line': l.mbom_item_id, 'place': null}
            )
        ) as place
    from lines as l
),

occupied as (
    select
        p.pair,
        list(p.line) filter (where p.side = 1) as lines_a,
        unnest(list(p.line) filter (where p.side = 2)) as b
    from places as p
    group by p.pair, p.place
),

sharing as (
    select
        o.pair,
        unnest(o.lines_a) as a,
        o.b
    from occupied as o
),

shared as (
    select
        m.pair,
        m.a.item_id as item_a,
        m.b.item_id as item_b,
        row(
            m.a.item_id <> m.b.item_id,
            any_value(m.a.part_id <> m.b.part_id),
            coalesce(any_value(m.a.revision_family_id <> m.b.revision_family_id), true),
            -count(*)
        ) as distance
    from sharing as m
    group by m.pair, m.a.item_id, m.b.item_id
),

-- Two lines that share a place are paired if each is the other's closest match.
nearest as (
    select
        s.pair,
        s.item_a,
        arg_min(s.item_b, row(s.distance, s.item_b)) as item_b
    from shared as s
    group by s.pair, s.item_a

    intersect

    select
        s.pair,
        arg_min(s.item_a, row(s.distance, s.item_a)) as item_a,
        s.item_b
    from shared as s
    group by s.pair, s.item_b
),

-- Lines that no designator pairs are paired by part: in the first round by part revision and quantity, in the second by
-- part revision, in the third by part in another revision. A row is a line without a partner yet, or a pair of lines.
matching as (
    select
        l.pair,
        1 as turn,
        case when l.side = 1 then l.mbom_item_id end as item_a,
        case when l.side = 1 then n.item_b else l.mbom_item_id end as item_b,
        l.part_id,
        l.revision_family_id,
        l.quantity
    from lines as l
    left join nearest as n on l.pair = n.pair and l.mbom_item_id = case when l.side = 1 then n.item_a else n.item_b end
    where l.side = 1 or n.item_a is null

    union all

    (
        with keyed as (
            select
                pair,
                turn,
                item_a is not null as is_a,
                {
                    'quantity': quantity,
                    'item_id': coalesce(item_a, item_b),
                    'part_id': part_id,
                    'revision_family_id': revision_family_id
                } as line,
                case when turn < 3 then part_id else revision_family_id end as part_key,
                case when turn = 1 then quantity end as quantity_key
            from matching
            where (item_a is null or item_b is null) and turn <= 3
        ),

        agreeing as (
            select
                pair,
                turn,
                unnest(list(line order by line.quantity, line.item_id) filter (where is_a)) as a,
                unnest(list(line order by line.quantity, line.item_id) filter (where not is_a)) as b
            from keyed
            group by
                pair, turn, part_key, quantity_key,
                -- A line without a key in this round stays unpaired.
                case when part_key is null or (turn = 1 and quantity_key is null) then line.item_id end,
                case when part_key is null or (turn = 1 and quantity_key is null) then is_a end
        )

        select
            pair,
            turn + 1 as turn,
            a.item_id as item_a,
            b.item_id as item_b,
            coalesce(a, b).part_id as part_id,
            coalesce(a, b).revision_family_id as revision_family_id,
            coalesce(a, b).quantity as quantity
        from agreeing
    )
),

-- Lines of both plans, and lines of one plan without a partner.
line_pairs as (
    select
        m.pair,
        false as is_top,
        m.item_a,
        m.item_b
    from matching as m
    where m.turn = 4 or (m.item_a is not null and m.item_b is not null)

    union all

    select
        l.plan_key as pair,
        l.is_top,
        max(l.mbom_item_id) filter (where l.side = 1) as item_a,
        max(l.mbom_item_id) filter (where l.side = 2) as item_b
    from plan_lines as l
    group by l.plan_key, l.is_top, l.mbom_item_id
),

-- Differences of the line itself: one entry per attribute.
compared as (
    select
        p.pair,
        p.is_top,
        a.mbom_item_id as item_a,
        b.mbom_item_id as item_b,
        a.sort_key as sort_key_a,
        a.part_id as part_id_a,
        coalesce(a.part_number || ' ' || a.part_revision, a.part_number, 'part ' || a.part_id) as label_a,
        a.quantity as quantity_a,
        a.part_plan_key as part_plan_key_a,
        b.sort_key as sort_key_b,
        b.part_id as part_id_b,
        coalesce(b.part_number || ' ' || b.part_revision, b.part_number, 'part ' || b.part_id) as label_b,
        b.quantity as quantity_b,
        b.part_plan_key as part_plan_key_b,
        coalesce(a.part_number, b.part_number) as part_number,
        p.is_top or a.revision_family_id = b.revision_family_id as is_one_family,
        -- The top lines are the two plans that are compared: if both exist, their own difference is not a change.
        case
            when p.is_top and a.side is not null and b.side is not null then []
            else
                [
                    entry for entry in [
                        case
                            when a.side is null
                                then {'change': 'added', 'before': null, 'after': cast(b.quantity as varchar)}
                            when b.side is null
                                then {'change': 'removed', 'before': cast(a.quantity as varchar), 'after': null}
                        end,
                        case
                            when a.part_id <> b.part_id and a.revision_family_id = b.revision_family_id
                                then {'change': 'revision_changed', 'before': a.part_revision, 'after': b.part_revision}
                            when a.part_id <> b.part_id
                                then {'change': 'part_replaced', 'before': a.part_number, 'after': b.part_number}
                        end,
                        case
                            when a.quantity <> b.quantity
                                then
                                    {
                                        'change': 'quantity_changed',
                                        'before': cast(a.quantity as varchar),
                                        'after': cast(b.quantity as varchar)
                                    }
                        end,
                        case
                            when a.is_made_on_assembly <> b.is_made_on_assembly
                                then
                                    {
                                        'change': 'made_on_assembly_changed',
                                        'before': cast(a.is_made_on_assembly as varchar),
                                        'after': cast(b.is_made_on_assembly as varchar)
                                    }
                        end
                    ]
                    if entry is not null
                ]
                || case
                    when a.side is not null and b.side is not null
                        then
                            [
                                {'change': 'designator_removed', 'before': d, 'after': null}
                                for d in a.designator_places
                                if not list_contains(b.designator_places, d)
                            ]
                            || [
                                {'change': 'designator_added', 'before': null, 'after': d}
                                for d in b.designator_places
                                if not list_contains(a.designator_places, d)
                            ]
                            || [
                                {'change': 'substitute_removed', 'before': a.substitute_part_numbers[i], 'after': null}
                                for i in range(1, len(a.substitute_part_ids) + 1)
                                if not list_contains(b.substitute_part_ids, a.substitute_part_ids[i])
                            ]
                            || [
                                {'change': 'substitute_added', 'before': null, 'after': b.substitute_part_numbers[i]}
                                for i in range(1, len(b.substitute_part_ids) + 1)
                                if not list_contains(a.substitute_part_ids, b.substitute_part_ids[i])
                            ]
                    else []
                end
        end as entries
    from line_pairs as p
    left join plan_lines as a
        on p.item_a = a.mbom_item_id and p.is_top = a.is_top and a.side = 1 and starts_with(p.pair, a.plan_key)
    left join plan_lines as b
        on p.item_b = b.mbom_item_id and p.is_top = b.is_top and b.side = 2 and ends_with(p.pair, b.plan_key)
),

-- Goes down both trees at once: a line of both plans is one node. A part that would contain itself is not expanded
-- again.
nodes as (
    select
        c.* exclude (pair, part_plan_key_a, part_plan_key_b, is_one_family),
        0 as depth,
        case when c.item_a is not null then '' end as path_key_a,
        cast(null as varchar) as above_a,
        c.quantity_a as quantity_extended_a,
        c.label_a as path_text_a,
        case when c.item_a is not null then [c.part_id_a] end as path_ids_a,
        case when c.item_b is not null then '' end as path_key_b,
        cast(null as varchar) as above_b,
        c.quantity_b as quantity_extended_b,
        c.label_b as path_text_b,
        case when c.item_b is not null then [c.part_id_b] end as path_ids_b,
        case
            when c.part_plan_key_a || c.part_plan_key_b is not null then [c.part_plan_key_a || c.part_plan_key_b]
            else [c.part_plan_key_a, c.part_plan_key_b]
        end as opened
    from compared as c
    where c.is_top

    union all

    select
        c.* exclude (pair, part_plan_key_a, part_plan_key_b, is_one_family) replace (
            n.sort_key_a || c.sort_key_a as sort_key_a,
            n.sort_key_b || c.sort_key_b as sort_key_b
        ),
        n.depth + 1 as depth,
        n.path_key_a || '/m' || c.item_a as path_key_a,
        n.path_key_a as above_a,
        n.quantity_extended_a * c.quantity_a as quantity_extended_a,
        n.path_text_a || ' > ' || c.label_a as path_text_a,
        case when c.item_a is not null then list_append(n.path_ids_a, c.part_id_a) end as path_ids_a,
        n.path_key_b || '/m' || c.item_b as path_key_b,
        n.path_key_b as above_b,
        n.quantity_extended_b * c.quantity_b as quantity_extended_b,
        n.path_text_b || ' > ' || c.label_b as path_text_b,
        case when c.item_b is not null then list_append(n.path_ids_b, c.part_id_b) end as path_ids_b,
        case
            when
                c.part_plan_key_a || c.part_plan_key_b is not null
                and c.is_one_family
                and not list_contains(n.path_ids_a, c.part_id_a)
                and not list_contains(n.path_ids_b, c.part_id_b)
                then [c.part_plan_key_a || c.part_plan_key_b]
            else [
                case when not list_contains(n.path_ids_a, c.part_id_a) then c.part_plan_key_a end,
                case when not list_contains(n.path_ids_b, c.part_id_b) then c.part_plan_key_b end
            ]
        end as opened
    from (
        select
            depth,
            sort_key_a,
            sort_key_b,
            path_key_a,
            path_key_b,
            quantity_extended_a,
            quantity_extended_b,
            path_text_a,
            path_text_b,
            path_ids_a,
            path_ids_b,
            unnest(opened) as pair
        from nodes
        where depth < 256
    ) as n
    inner join compared as c on n.pair = c.pair and not c.is_top
),

-- Nodes that have a changed line directly under them.
changed as (
    select
        list(distinct n.above_a || '/') as above_a,
        list(distinct n.above_b || '/') as above_b
    from nodes as n
    where len(n.entries) > 0
),

reported as (
    select
        n.*,
        unnest(
            case
                when len(n.entries) > 0 then n.entries
                when
                    n.depth > 0 and len(
                        [p for p in c.above_a if starts_with(p, n.path_key_a || '/')]
                        || [p for p in c.above_b if starts_with(p, n.path_key_b || '/')]
                    ) > 0
                    then [{'change': 'indirect', 'before': cast(null as varchar), 'after': cast(null as varchar)}]
            end
        ) as found
    from nodes as n
    cross join changed as c
)

select
    t.found.change as change,
    t.depth,
    t.part_number,
    t.found.before as value_before,
    t.found.after as value_after,
    t.quantity_a as quantity_before,
    t.quantity_b as quantity_after,
    t.quantity_extended_a as quantity_extended_before,
    t.quantity_extended_b as quantity_extended_after,
    t.path_text_a as path_before,
    t.path_text_b as path_after,
    t.part_id_a as part_id_before,
    t.part_id_b as part_id_after,
    case when t.depth > 0 then t.item_a end as mbom_item_id_before,
    case when t.depth > 0 then t.item_b end as mbom_item_id_after,
    t.path_key_a as path_key_before,
    t.path_key_b as path_key_after,
    t.path_ids_a as path_ids_before,
    t.path_ids_b as path_ids_after,
    coalesce(t.sort_key_b, t.sort_key_a) as sort_key
from reported as t;

-- Compares any two mBOM versions, each in its last state, with the plans in force below it at the end of that state.
create or replace macro mbom_compare(mbom_a, mbom_b) as table
select *
from mbom_compare_trees(mbom_last(mbom_a), mbom_last(mbom_b))
order by sort_key, change, value_before, value_after, path_key_before, path_key_after;

-- Compares the plan of a part revision at one instant with its plan at another.
create or replace macro mbom_compare_as_of(part_number, revision, instant_a, instant_b) as table
select *
from mbom_compare_trees(
    mbom_in_force(part_number, revision, instant_a), mbom_in_force(part_number, revision, instant_b)
)
order by sort_key, change, value_before, value_after, path_key_before, path_key_after;
