"""Functions in PostgreSQL with the names, arguments and columns of the published file's macros.

They are in the schema `ion`, as what is in the file's default schema. A function that differs is dropped and created in
the transaction of the publish; one that is the same is left alone, and one that others have created is never changed.
"""
# ruff: noqa: S608 -- names come from the published file and are quoted

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.postgres_compare import LINE_COLUMNS, all_levels, one_level
from ion_pipeline.publish.postgres_plans import PLAN_COLUMNS, plan_changes
from ion_pipeline.warehouse import ENTITY_SCHEMA
from ion_pipeline.warehouse.sql import identifier, literal

_HIERARCHY = ("genealogy", "abom_hierarchy")
_PLANS = ("genealogy", "mbom_hierarchy")
_WHERE_USED = ("genealogy", "abom_where_used")
_INSTALLATIONS = ("genealogy", "abom_installations")
_CONFIGURATIONS = ("genealogy", "abom_configurations")
_FRESHNESS, _LOADS = ("ops", "freshness"), ("ops", "loads")
_INVENTORIES = ("reference", "part_inventories")
_WRITTEN_HERE = "Written by ion-pipeline."
Columns = Sequence[tuple[str, str]]
Table = tuple[str, str]

_RECALL = """
with recursive components as (
    select units.part_inventory_id
    from reference.part_inventories as units
    where
        coalesce(units.part_number, 'part ' || units.part_id, '') = $1
        and $2 in (units.lot_number, units.serial_number)
    union
    select units.part_inventory_id
    from components
    inner join reference.part_inventories as units on components.part_inventory_id = units.origin_part_inventory_id
),
uses as (
    select
        used.ancestor_part_inventory_id,
        array_agg(used.component_part_inventory_id order by used.component_part_inventory_id) as components,
        min(used.min_depth) as min_depth,
        cast(sum(used.path_count) as bigint) as path_count,
        case when count(*) = count(used.quantity_extended) then sum(used.quantity_extended) end as quantity_extended
    from genealogy.abom_where_used as used
    where used.is_top_level and used.component_part_inventory_id in (select part_inventory_id from components)
    group by used.ancestor_part_inventory_id
),
ways as (
    select distinct on (tree.root_part_inventory_id) tree.root_part_inventory_id, tree.path_text
    from genealogy.abom_hierarchy as tree
    where
        tree.root_part_inventory_id in (select ancestor_part_inventory_id from uses)
        and tree.part_inventory_id in (select part_inventory_id from components)
    order by tree.root_part_inventory_id, tree.depth, tree.sort_key collate "C"
),
above as (
    select part_inventory_id from components
    union
    select installed.parent_part_inventory_id
    from above
    inner join genealogy.abom_installations as installed
        on above.part_inventory_id = installed.child_part_inventory_id
),
missing as (
    select
        string_agg(entity, ', ' order by entity) filter (where entity in ('abom_installations', 'build_requirements'))
        || ' of ION never read: installations recorded there are missing.' as reason
    from ops.freshness
    where last_read_at is null
    having
        count(*) filter (where entity in ('abom_installations', 'build_requirements')) > 0
        and count(*) filter (where entity in ('abom_edges', 'abom_items')) > 0
    union all
    select 'Rows under export control are left out of this data: units among them are missing.'
    from ops.loads
    where is_latest and rows_read is null
),
found as (
    select
        uses.ancestor_part_inventory_id as part_inventory_id, uses.quantity_extended, uses.path_count, uses.min_depth,
        ways.path_text, uses.components, true as is_in_tree
    from uses
    inner join ways on uses.ancestor_part_inventory_id = ways.root_part_inventory_id
    union all
    select
        above.part_inventory_id, null, null, null,
        'in no tree with it: in or above a ring of installations, or too many levels above it', null, false
    from above
    where
        above.part_inventory_id not in (select part_inventory_id from components)
        and above.part_inventory_id not in (
            select used.ancestor_part_inventory_id
            from genealogy.abom_where_used as used
            where used.component_part_inventory_id in (select part_inventory_id from components)
        )
),
answer as (
    select
        found.part_inventory_id, units.part_number, units.part_revision, units.serial_number, units.lot_number,
        units.status, units.location_path, found.quantity_extended, found.path_count, found.min_depth, found.path_text,
        found.components, found.is_in_tree
    from found
    inner join reference.part_inventories as units on found.part_inventory_id = units.part_inventory_id
    union all
    select
        null, 'INCOMPLETE', null, null, null, null, null, null, null, null, missing.reason, null, false
    from missing
)
select *
from answer
order by
    is_in_tree, part_inventory_id is not null, part_number collate "C", serial_number collate "C",
    lot_number collate "C", part_inventory_id
"""


@dataclass(frozen=True, slots=True)
class _Function:
    """A function.

    Attributes:
        name: Its name.
        arguments: Their types; they are given by position, because a name may be that of a column.
        says: What it returns.
        body: Its query.
        reads: The tables that it reads.
        gives: Its columns, each that of a table, or with a type of its own; all columns of the first table if empty.
    """

    name: str
    arguments: str
    says: str
    body: str
    reads: tuple[Table, ...]
    gives: tuple[tuple[str, Table | str], ...] = ()

    def columns(self, tables: Mapping[Table, Columns]) -> Columns:
        if not self.gives:
            return tables[self.reads[0]]
        return [(name, of if isinstance(of, str) else dict(tables[of])[name]) for name, of in self.gives]


_FUNCTIONS = (
    _Function(
        "abom_explode",
        "bigint",
        "The as-built tree of a unit in printing order, the unit itself first.",
        "select t.* from genealogy.abom_hierarchy as t "
        'where t.root_part_inventory_id = $1 order by t.sort_key collate "C"',
        (_HIERARCHY,),
    ),
    _Function(
        "mbom_explode",
        "text, text",
        "The released plan of a part revision, at every level.",
        "select t.* from genealogy.mbom_hierarchy as t "
        'where t.root_part_number = $1 and t.root_part_revision = $2 order by t.sort_key collate "C"',
        (_PLANS,),
    ),
    _Function(
        "where_used",
        "bigint",
        "Every unit that contains a unit or lot, the nearest first.",
        "select t.* from genealogy.abom_where_used as t where t.component_part_inventory_id = $1 order by t.min_depth, "
        't.ancestor_part_number collate "C", t.ancestor_serial_number collate "C", t.ancestor_part_inventory_id',
        (_WHERE_USED,),
    ),
    _Function(
        "recall",
        "text, text",
        "The units that contain a lot or serial of a part, or anything split off it; first those that are in no tree.",
        _RECALL,
        (_WHERE_USED, _HIERARCHY, _INVENTORIES, _INSTALLATIONS, _FRESHNESS, _LOADS),
        (
            ("part_inventory_id", _INVENTORIES),
            ("part_number", _INVENTORIES),
            ("part_revision", _INVENTORIES),
            ("serial_number", _INVENTORIES),
            ("lot_number", _INVENTORIES),
            ("status", _INVENTORIES),
            ("location_path", _INVENTORIES),
            ("quantity_extended", _WHERE_USED),
            ("path_count", "bigint"),
            ("min_depth", _WHERE_USED),
            ("path_text", _HIERARCHY),
            ("component_part_inventory_ids", "bigint[]"),
            ("is_in_tree", "boolean"),
        ),
    ),
    _Function(
        "abom_compare_level",
        "bigint, bigint",
        "The lines of two units side by side, one level deep, and the units to compare further down; for abom_compare.",
        one_level(),
        (_INSTALLATIONS, _CONFIGURATIONS),
        (
            ("change", "text"),
            ("line", "text"),
            *LINE_COLUMNS,
            ("units_before", "bigint[]"),
            ("units_after", "bigint[]"),
        ),
    ),
    _Function(
        "abom_compare",
        "bigint, bigint",
        "The lines in which two units differ, at every level.",
        all_levels(identifier(ENTITY_SCHEMA, "abom_compare_level")),
        (_INSTALLATIONS, _CONFIGURATIONS, _INVENTORIES),
        (("change", "text"), ("line", "text"), *LINE_COLUMNS, ("depth", "integer"), ("path_text", "text")),
    ),
    _Function(
        "mbom_compare",
        "bigint, bigint",
        "The lines in which two versions of plans differ, at every level.",
        plan_changes(),
        (("genealogy", "mbom_lines"), ("genealogy", "mbom_versions")),
        PLAN_COLUMNS,
    ),
)


def write_functions(cursor: Any, tables: Mapping[Table, Columns]) -> None:
    """Create the functions whose tables are published, and replace those that differ.

    Args:
        cursor: A cursor of the transaction, after the tables are there.
        tables: Names and PostgreSQL's types of the columns of each published table.

    Raises:
        PublishError: Somebody else has a function of that name and these arguments.
    """
    for function in _FUNCTIONS:
        if not tables.keys() >= set(function.reads):
            continue
        columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in function.columns(tables))
        # The columns are a part of the text, so that another type of a column is a difference.
        body = f"-- {columns}\n{function.body}"
        signature = f"{identifier(ENTITY_SCHEMA, function.name)}({function.arguments})"
        cursor.execute(
            "select prosrc, coalesce(obj_description(oid, 'pg_proc'), '') from pg_proc "
            f"where oid = to_regprocedure({literal(signature)})"
        )
        found = cursor.fetchall()
        if found and not found[0][1].endswith(_WRITTEN_HERE):
            raise PublishError(
                f"PostgreSQL already has a function {signature} that ion-pipeline did not create.",
                remedy="Publish to a separate database, or rename that function. Nothing was changed.",
            )
        if found and found[0][0] == body:
            continue
        cursor.execute(f"create schema if not exists {identifier(ENTITY_SCHEMA)}")
        cursor.execute(f"drop function if exists {signature}")
        cursor.execute(f"create function {signature} returns table ({columns}) language sql stable as {literal(body)}")
        cursor.execute(f"comment on function {signature} is {literal(f'{function.says} {_WRITTEN_HERE}')}")
