"""The comparison of two plans as SQL for PostgreSQL, by the rules of the macro `mbom_compare`.

The differences between two lines are computed once per pair of plans; the last recursion goes down both trees at once.
A test compares the result with that of the file's macro for pairs of plans of the demo.
"""
# ruff: noqa: S608 -- the names are constants

from importlib.resources import files

#: The columns of a change, with their types in PostgreSQL.
PLAN_COLUMNS = (
    ("change", "text"),
    ("depth", "integer"),
    ("part_number", "text"),
    ("value_before", "text"),
    ("value_after", "text"),
    ("quantity_before", "double precision"),
    ("quantity_after", "double precision"),
    ("quantity_extended_before", "double precision"),
    ("quantity_extended_after", "double precision"),
    ("path_before", "text"),
    ("path_after", "text"),
    ("part_id_before", "bigint"),
    ("part_id_after", "bigint"),
    ("mbom_item_id_before", "bigint"),
    ("mbom_item_id_after", "bigint"),
    ("path_key_before", "text"),
    ("path_key_after", "text"),
    ("path_ids_before", "bigint[]"),
    ("path_ids_after", "bigint[]"),
    ("sort_key", "text"),
)
_MAX_DEPTH = 256
# Lines that no designator pairs are paired by part revision and quantity, by part revision, and by part.
_ROUNDS = (
    ("part_id", "quantity"),
    ("part_id", "null::double precision"),
    ("revision_family_id", "null::double precision"),
)

_PLANS = (files("ion_pipeline.publish") / "postgres_plan_lines.sql").read_text("utf-8").rstrip()
_ROUND = """,
keyed_{turn} as (
    select
        pair, side, item_id, key, quantity_key,
        row_number() over (partition by pair, side, key, quantity_key order by quantity, item_id) as place
    from (select *, {key} as key, {quantity} as quantity_key from left_{before}) as lines
    where key is not null{needs_quantity}
),
pair_{turn} as (
    select one.pair, one.item_id as item_a, other.item_id as item_b
    from keyed_{turn} as one
    inner join keyed_{turn} as other
        on
            one.pair = other.pair and one.key = other.key
            and one.quantity_key is not distinct from other.quantity_key and one.place = other.place
    where one.side = 1 and other.side = 2
),
left_{turn} as (
    select lines.*
    from left_{before} as lines
    where not exists (
        select
        from pair_{turn} as found
        where
            found.pair = lines.pair
            and lines.item_id = case lines.side when 1 then found.item_a else found.item_b end
    )
)"""
# DuckDB writes a whole number of type double with ".0".
_NUMBER = "case when {0} = trunc({0}) and abs({0}) < 1e15 then {0}::numeric::bigint || '.0' else {0}::text end"
_COMPARED = """,
line_pairs as (
    select pair, false as is_top, item_a, item_b from nearest
    union all
    {pairs}
    union all
    select
        pair, false, case side when 1 then item_id end, case side when 2 then item_id end
    from left_{last}
    union all
    select
        plan_key, is_top, max(mbom_item_id) filter (where side = 1), max(mbom_item_id) filter (where side = 2)
    from plan_lines
    group by plan_key, is_top, mbom_item_id
),
compared as (
    select
        line_pairs.pair, line_pairs.is_top,
        a.mbom_item_id as item_a, b.mbom_item_id as item_b, a.sort_key as sort_key_a, b.sort_key as sort_key_b,
        a.part_id as part_id_a, b.part_id as part_id_b,
        coalesce(a.part_number || ' ' || a.part_revision, a.part_number, 'part ' || a.part_id) as label_a,
        coalesce(b.part_number || ' ' || b.part_revision, b.part_number, 'part ' || b.part_id) as label_b,
        a.quantity as quantity_a, b.quantity as quantity_b,
        a.part_plan_key as part_plan_key_a, b.part_plan_key as part_plan_key_b,
        coalesce(a.part_number, b.part_number) as part_number,
        line_pairs.is_top or a.revision_family_id = b.revision_family_id as is_one_family,
        case
            when line_pairs.is_top and a.side is not null and b.side is not null then '[]'::jsonb
            else (
                select coalesce(jsonb_agg(jsonb_build_array(found.change, found.was, found.becomes)), '[]'::jsonb)
                from (
                    select
                        case when a.side is null then 'added' when b.side is null then 'removed' end,
                        case when b.side is null then {quantity_a} end,
                        case when a.side is null then {quantity_b} end
                    union all
                    select
                        case
                            when a.part_id <> b.part_id and a.revision_family_id = b.revision_family_id
                                then 'revision_changed'
                            when a.part_id <> b.part_id then 'part_replaced'
                        end,
                        case
                            when a.revision_family_id = b.revision_family_id then a.part_revision else a.part_number
                        end,
                        case
                            when a.revision_family_id = b.revision_family_id then b.part_revision else b.part_number
                        end
                    union all
                    select case when a.quantity <> b.quantity then 'quantity_changed' end, {quantity_a}, {quantity_b}
                    union all
                    select
                        case when a.is_made_on_assembly <> b.is_made_on_assembly then 'made_on_assembly_changed' end,
                        a.is_made_on_assembly::text, b.is_made_on_assembly::text
                    union all
                    select 'designator_removed', place, null
                    from unnest(a.designator_places) as place
                    where b.side is not null and place <> all (b.designator_places)
                    union all
                    select 'designator_added', null, place
                    from unnest(b.designator_places) as place
                    where a.side is not null and place <> all (a.designator_places)
                    union all
                    select 'substitute_removed', part.number, null
                    from unnest(a.substitute_part_ids, a.substitute_part_numbers) as part (id, number)
                    where b.side is not null and part.id <> all (b.substitute_part_ids)
                    union all
                    select 'substitute_added', null, part.number
                    from unnest(b.substitute_part_ids, b.substitute_part_numbers) as part (id, number)
                    where a.side is not null and part.id <> all (a.substitute_part_ids)
                ) as found (change, was, becomes)
                where found.change is not null
            )
        end as entries
    from line_pairs
    left join plan_lines as a
        on
            line_pairs.item_a = a.mbom_item_id and line_pairs.is_top = a.is_top and a.side = 1
            and starts_with(line_pairs.pair, a.plan_key)
    left join plan_lines as b
        on
            line_pairs.item_b = b.mbom_item_id and line_pairs.is_top = b.is_top and b.side = 2
            and right(line_pairs.pair, length(b.plan_key)) = b.plan_key
)"""
# A part that would contain itself is not expanded again.
_OPENED_BELOW = """case
            when
                c.part_plan_key_a || c.part_plan_key_b is not null and c.is_one_family
                and c.part_id_a <> all (n.path_ids_a) and c.part_id_b <> all (n.path_ids_b)
                then array[c.part_plan_key_a || c.part_plan_key_b]
            else array[
                case when c.part_id_a <> all (n.path_ids_a) then c.part_plan_key_a end,
                case when c.part_id_b <> all (n.path_ids_b) then c.part_plan_key_b end
            ]
        end"""
_TREES = """,
nodes as (
    select
        0 as depth, c.item_a, c.item_b, c.sort_key_a, c.sort_key_b, c.part_id_a, c.part_id_b, c.quantity_a,
        c.quantity_b, c.part_number, c.entries,
        case when c.item_a is not null then '' end as path_key_a,
        case when c.item_b is not null then '' end as path_key_b,
        null::text as above_a,
        null::text as above_b,
        c.quantity_a as quantity_extended_a,
        c.quantity_b as quantity_extended_b,
        c.label_a as path_text_a,
        c.label_b as path_text_b,
        case when c.item_a is not null then array[c.part_id_a] end as path_ids_a,
        case when c.item_b is not null then array[c.part_id_b] end as path_ids_b,
        case
            when c.part_plan_key_a || c.part_plan_key_b is not null then array[c.part_plan_key_a || c.part_plan_key_b]
            else array[c.part_plan_key_a, c.part_plan_key_b]
        end as opened
    from compared as c
    where c.is_top
    union all
    select
        n.depth + 1, c.item_a, c.item_b, n.sort_key_a || c.sort_key_a, n.sort_key_b || c.sort_key_b, c.part_id_a,
        c.part_id_b, c.quantity_a, c.quantity_b, c.part_number, c.entries,
        n.path_key_a || '/m' || c.item_a,
        n.path_key_b || '/m' || c.item_b,
        n.path_key_a,
        n.path_key_b,
        n.quantity_extended_a * c.quantity_a,
        n.quantity_extended_b * c.quantity_b,
        n.path_text_a || ' > ' || c.label_a,
        n.path_text_b || ' > ' || c.label_b,
        case when c.item_a is not null then n.path_ids_a || c.part_id_a end,
        case when c.item_b is not null then n.path_ids_b || c.part_id_b end,
        {opened_below}
    from nodes as n
    cross join lateral unnest(n.opened) as below (pair)
    inner join compared as c on below.pair = c.pair and not c.is_top
    where n.depth < {max_depth}
),
changed as (
    select distinct above_a || '/' as above_a, above_b || '/' as above_b
    from nodes
    where entries <> '[]'::jsonb
)
select
    found.change, n.depth, n.part_number, found.was, found.becomes, n.quantity_a, n.quantity_b, n.quantity_extended_a,
    n.quantity_extended_b, n.path_text_a, n.path_text_b, n.part_id_a, n.part_id_b,
    case when n.depth > 0 then n.item_a end, case when n.depth > 0 then n.item_b end,
    n.path_key_a, n.path_key_b, n.path_ids_a, n.path_ids_b, coalesce(n.sort_key_b, n.sort_key_a)
from nodes as n
cross join lateral (
    select entry ->> 0, entry ->> 1, entry ->> 2 from jsonb_array_elements(n.entries) as entry
    union all
    select 'indirect', null, null
    where
        n.depth > 0 and n.entries = '[]'::jsonb and exists (
            select
            from changed
            where
                starts_with(changed.above_a, n.path_key_a || '/') or starts_with(changed.above_b, n.path_key_b || '/')
        )
) as found (change, was, becomes)
order by
    coalesce(n.sort_key_b, n.sort_key_a) collate "C", found.change collate "C", found.was collate "C",
    found.becomes collate "C", n.path_key_a collate "C", n.path_key_b collate "C"
"""


def plan_changes() -> str:
    """The query that compares mBOM $1 with mBOM $2, each in its last state, at all levels."""
    rounds = ""
    for turn, (key, quantity) in enumerate(_ROUNDS, start=1):
        needs = " and quantity is not null" if quantity == "quantity" else ""
        rounds += _ROUND.format(turn=turn, before=turn - 1, key=key, quantity=quantity, needs_quantity=needs)
    pairs = "\n    union all\n    ".join(
        f"select pair, false, item_a, item_b from pair_{turn}" for turn in range(1, len(_ROUNDS) + 1)
    )
    compared = _COMPARED.format(
        pairs=pairs, last=len(_ROUNDS), quantity_a=_NUMBER.format("a.quantity"), quantity_b=_NUMBER.format("b.quantity")
    )
    return _PLANS + rounds + compared + _TREES.format(opened_below=_OPENED_BELOW, max_depth=_MAX_DEPTH)
