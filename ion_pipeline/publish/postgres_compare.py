"""The comparison of two as-built units as SQL for PostgreSQL, by the rules of `macros/dialect/compare`.

PostgreSQL's recursion admits no aggregate, and its own name once: so a function compares the lines of one unit with
those of another, and a recursion calls it for each pair of units further down. A test compares the result with that of
the file's macro for pairs of units of the demo.
"""
# ruff: noqa: S608 -- the names and keys are constants

_SEPARATOR = "chr(31)"
# To nine digits.
_QUANTITY = (
    "case when quantity = 0 then '0' "
    "else trim_scale(round(quantity::numeric, 8 - floor(log(abs(quantity)))::integer))::text end"
)
_PLANNED_PART = "substr(planned_line, 1, 1) || required_part_number"
# Lines of the two units are paired by the first of these keys in which they agree.
_KEYS = (
    ("planned_line", "coalesce(designator_key, '')", "part_number"),
    ("planned_line", "coalesce(designator_key, '')"),
    ("planned_line", "part_number", _QUANTITY),
    ("planned_line", "part_number"),
    ("designator_key", "part_number"),
    ("designator_key",),
    (_PLANNED_PART, "part_number", _QUANTITY),
    (_PLANNED_PART, "part_number"),
    (_PLANNED_PART,),
    ("part_number", _QUANTITY),
    ("part_number",),
)
_LINES = """
with summed as (
    select
        sides.side,
        coalesce('m' || installed.origin_mbom_item_id, 'r' || installed.build_requirement_id) as planned_line,
        min(installed.origin_mbom_item_id) as origin_mbom_item_id,
        min(installed.origin_mbom_id) as origin_mbom_id,
        min(installed.build_requirement_id) as build_requirement_id,
        min(installed.required_part_number collate "C") as required_part_number,
        installed.designator_key,
        case when installed.designator_key is not null then min(installed.reference_designator collate "C") end
            as reference_designator,
        coalesce(installed.child_part_number, 'part ' || installed.child_part_id, 'unit') as part_number,
        min(installed.child_part_revision collate "C") || case
            when min(installed.child_part_revision collate "C") = max(installed.child_part_revision collate "C") then ''
            else ' … ' || max(installed.child_part_revision collate "C")
        end as part_revision,
        min(installed.child_serial_number collate "C") || case
            when min(installed.child_serial_number collate "C") = max(installed.child_serial_number collate "C") then ''
            else ' … ' || max(installed.child_serial_number collate "C")
        end as serial_number,
        min(installed.child_lot_number collate "C") || case
            when min(installed.child_lot_number collate "C") = max(installed.child_lot_number collate "C") then ''
            else ' … ' || max(installed.child_lot_number collate "C")
        end as lot_number,
        case
            when min(installed.child_part_inventory_id) = max(installed.child_part_inventory_id)
                then min(installed.child_part_inventory_id)
        end as child_part_inventory_id,
        case when count(*) = count(installed.quantity_per_piece) then sum(installed.quantity_per_piece) end as quantity,
        bool_or(installed.is_substitute) as is_substitute,
        array_agg(
            installed.child_part_inventory_id order by installed.child_part_inventory_id, configured.configuration_hash
        ) as unit_ids,
        array_agg(
            coalesce(configured.configuration_hash, '')
            order by installed.child_part_inventory_id, configured.configuration_hash
        ) as unit_configurations,
        array_agg(distinct coalesce(configured.configuration_hash, '')) as configurations
    from (values (1, $1), (2, $2)) as sides (side, part_inventory_id)
    inner join genealogy.abom_installations as installed
        on sides.part_inventory_id = installed.parent_part_inventory_id and not installed.is_quarantined
    left join genealogy.abom_configurations as configured
        on installed.child_part_inventory_id = configured.part_inventory_id
    group by
        sides.side, 2, installed.designator_key,
        coalesce(installed.child_part_number, 'part ' || installed.child_part_id, 'unit')
),
left_0 as (
    select
        *,
        coalesce(required_part_number, part_number) || coalesce(' @' || reference_designator, '') as label,
        row_number() over (
            partition by side
            order by
                quantity desc nulls last, designator_key collate "C", build_requirement_id, part_number collate "C"
        ) as line_number
    from summed
)"""
_ROUND = """,
keyed_{turn} as (
    select side, line_number, key, row_number() over (partition by side, key order by line_number) as place
    from (select *, {key} as key from left_{before}) as lines
    where key is not null
),
pair_{turn} as (
    select one.line_number as line_before, other.line_number as line_after
    from keyed_{turn} as one
    inner join keyed_{turn} as other on one.key = other.key and one.place = other.place
    where one.side = 1 and other.side = 2
),
left_{turn} as (
    select lines.*
    from left_{before} as lines
    where not exists (
        select from pair_{turn} as pair
        where case lines.side when 1 then pair.line_before else pair.line_after end = lines.line_number
    )
)"""
_CHANGES = """,
paired as (
    {pairs}
    union all
    select case side when 1 then line_number end, case side when 2 then line_number end from left_{last}
),
compared as (
    select
        case
            when before.part_number is null then 'installed'
            when after.part_number is null then 'missing'
            when before.part_number <> after.part_number
                then case when before.is_substitute or after.is_substitute then 'substitute' else 'replaced' end
            when coalesce(before.part_revision, '') <> coalesce(after.part_revision, '') then 'other_revision'
            when
                before.planned_line <> after.planned_line
                and coalesce(before.designator_key <> after.designator_key, true)
                and (
                    coalesce(before.required_part_number, '') <> coalesce(after.required_part_number, '')
                    or before.origin_mbom_id = after.origin_mbom_id
                    or (before.origin_mbom_id is null) <> (after.origin_mbom_id is null)
                )
                then 'moved'
            when coalesce(before.designator_key, '') <> coalesce(after.designator_key, '') then 'designator_changed'
            when
                (before.quantity is null) <> (after.quantity is null)
                or abs(before.quantity - after.quantity) > 1e-9 * abs(before.quantity)
                then 'quantity_changed'
        end as change,
        coalesce(after.label, before.label) as line,
        before.part_number as part_number_before, after.part_number as part_number_after,
        before.part_revision as part_revision_before, after.part_revision as part_revision_after,
        before.serial_number as serial_number_before, after.serial_number as serial_number_after,
        before.lot_number as lot_number_before, after.lot_number as lot_number_after,
        before.child_part_inventory_id as part_inventory_id_before,
        after.child_part_inventory_id as part_inventory_id_after,
        coalesce(before.quantity, case when before.part_number is null then 0 end) as quantity_before,
        coalesce(after.quantity, case when after.part_number is null then 0 end) as quantity_after,
        before.reference_designator as reference_designator_before,
        after.reference_designator as reference_designator_after,
        before.build_requirement_id as build_requirement_id_before,
        after.build_requirement_id as build_requirement_id_after,
        before.origin_mbom_item_id as origin_mbom_item_id_before,
        after.origin_mbom_item_id as origin_mbom_item_id_after,
        case when opens then opened(before, after) end as units_before,
        case when opens then opened(after, before) end as units_after
    from paired
    left join left_0 as before on before.side = 1 and paired.line_before = before.line_number
    left join left_0 as after on after.side = 2 and paired.line_after = after.line_number
    cross join lateral (
        select coalesce(
            before.part_number = after.part_number and before.configurations <> after.configurations, false
        ) as opens
    ) as content
)"""
# Configurations that exist on both sides are skipped, unless there are no others; of equal ones, the first is used.
_OPENED = """array(
            select unit.id
            from unnest({own}.unit_ids, {own}.unit_configurations) with ordinality as unit (id, configuration, place)
            where
                unit.configuration <> all ({other}.configurations)
                and array_position({own}.unit_configurations, unit.configuration) = unit.place
            order by unit.place
        ) || case when {own}.configurations <@ {other}.configurations then {own}.unit_ids[1:1] else '{{}}' end"""
# Each unit is paired with one of the other side; the last unit is paired with all remaining ones.
_PAIRED = """
select
    change, line, {columns},
    array(
        select units_before[least(place, cardinality(units_before))]
        from generate_series(1, greatest(cardinality(units_before), cardinality(units_after))) as place
        order by place
    ) as units_before,
    array(
        select units_after[least(place, cardinality(units_after))]
        from generate_series(1, greatest(cardinality(units_before), cardinality(units_after))) as place
        order by place
    ) as units_after
from compared
"""
_TYPES = {"part_inventory_id": "bigint", "build_requirement_id": "bigint", "origin_mbom_item_id": "bigint"}
_SIDED = (
    "part_number", "part_revision", "serial_number", "lot_number", "part_inventory_id", "quantity",
    "reference_designator", "build_requirement_id", "origin_mbom_item_id",
)  # fmt: skip
#: The columns of a changed line, with their types in PostgreSQL.
LINE_COLUMNS = tuple(
    (f"{name}_{side}", "double precision" if name == "quantity" else _TYPES.get(name, "text"))
    for name in _SIDED
    for side in ("before", "after")
)
_MAX_DEPTH = 256


def one_level() -> str:
    """The query that compares the lines of unit $1 with those of unit $2, and names the units to compare below them."""
    rounds = ""
    for turn, parts in enumerate(_KEYS, start=1):
        key = f" || {_SEPARATOR} || ".join(parts)
        rounds += _ROUND.format(turn=turn, before=turn - 1, key=key)
    pairs = "\n    union all\n    ".join(f"select * from pair_{turn}" for turn in range(1, len(_KEYS) + 1))
    changes = _CHANGES.format(pairs=pairs, last=len(_KEYS))
    for own, other in (("before", "after"), ("after", "before")):
        changes = changes.replace(f"opened({own}, {other})", _OPENED.format(own=own, other=other))
    return _LINES + rounds + changes + _PAIRED.format(columns=", ".join(name for name, _ in LINE_COLUMNS))


def all_levels(function: str) -> str:
    """The query that compares unit $1 with unit $2 at all levels.

    Args:
        function: The name of the function of `one_level`.
    """
    shown = ", ".join(f"found.{name}" for name, _ in LINE_COLUMNS)
    configuration = "(select configuration_hash from genealogy.abom_configurations where part_inventory_id = {})"
    return f"""
with recursive pairs as (
    select
        1 as depth,
        (
            select coalesce(part_number, 'part ' || part_id, 'unit')
            from reference.part_inventories
            where part_inventory_id = $1
        ) as parent_path,
        $1 as unit_before,
        $2 as unit_after
    where {configuration.format("$1")} is distinct from {configuration.format("$2")}
    union all
    select pairs.depth + 1, pairs.parent_path || ' > ' || found.line, below.unit_before, below.unit_after
    from pairs
    cross join lateral {function}(pairs.unit_before, pairs.unit_after) as found
    cross join lateral unnest(found.units_before, found.units_after) as below (unit_before, unit_after)
    where pairs.depth < {_MAX_DEPTH}
),
changes as (
    select
        coalesce(ends.change, found.change) as change, found.line, {shown}, pairs.depth,
        pairs.parent_path || ' > ' || found.line as path_text
    from pairs
    cross join lateral {function}(pairs.unit_before, pairs.unit_after) as found
    cross join lateral (
        select null as change
        union all
        select 'not_compared' where pairs.depth >= {_MAX_DEPTH} and cardinality(found.units_before) > 0
    ) as ends
)
select *
from changes
where change is not null
order by
    path_text collate "C", change collate "C", part_number_before collate "C", part_number_after collate "C",
    build_requirement_id_before, build_requirement_id_after
"""
