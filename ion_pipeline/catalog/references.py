"""Which rows refer to which: what export control, once a row has it, reaches.

Derived from the schema: `partId` beside `part: Part` refers to parts, a list inside a row to its owner, and a row
that lists others to them. What cannot be derived, and what refers without belonging, stands in the two small
tables below with its reason.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type, is_object_type

from ion_pipeline.catalog.catalog import Catalog, ChildList, Column

#: Entities whose own rows say that they are export controlled.
FLAGGED = ("parts", "procedures", "runs")
FLAG = "export_controlled"
#: Their field that says so.
FLAG_FIELD = "exportControlled"

# Columns without a field of the same name beside them.
_BY_NAME = {
    ("run_step_fields", "run_step_id"): "run_steps",
    ("part_kit_item_part_inventories", "part_inventory_id"): "part_inventories",
    ("abom_items", "acceptable_part_ids"): "parts",
    ("part_inventories", "merge_candidate_ids"): "part_inventories",
    ("run_steps", "upstream_step_ids"): "run_steps",
    ("run_steps", "downstream_step_ids"): "run_steps",
    ("steps", "upstream_step_ids"): "steps",
    ("steps", "downstream_step_ids"): "steps",
}

#: References that mean something else than "belongs to", with the reason.
WEAK = {
    ("parts", "revised_from_id"): "each revision has a flag of its own, and the later one decides for itself",
    ("steps", "origin_step_id"): "where a step was copied from: the procedure it is in now has a flag of its own",
    ("abom_items", "parent_id"): "one of several parents; what holds an item is said by its edges",
    ("abom_items", "acceptable_part_ids"): "what might stand in for the part, not what it is",
    ("part_inventories", "merge_candidate_ids"): "a proposal of ION's",
    ("run_steps", "upstream_step_ids"): "the order of steps: a step belongs to its run and its parent",
    ("run_steps", "downstream_step_ids"): "the order of steps",
    ("steps", "upstream_step_ids"): "the order of steps: a step belongs to its procedure and its parent",
    ("steps", "downstream_step_ids"): "the order of steps",
}

#: What a handle names: ION gives most rows an `entityId`, by which a comment, a label or a custom field refers to any.
ENTITIES = "entities"
# A handle that may be null is another row's (a comment's, a field's value); one that may not is the row's own, except:
_ON_ANY_ENTITY = ("barcode_labels", "user_subscriptions")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A row between the two: `select to_column from table where from_column in (the ids above)` is what is named."""

    table: str
    from_column: str
    to_column: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of one table that hang below rows of another.

    Attributes:
        table: Whose rows.
        via: The table in which both are named: the same, or a link between them.
        own: Column of `via` with the id of the row below; empty where the row names the other itself.
        column: Column of `via` that names the other.
        target: Whose rows are above; `ENTITIES` where they are named by their handle.
        lookup: How `column` names them, where not by id.
    """

    table: str
    via: str
    own: str
    column: str
    target: str
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class WeakReference:
    """A column that names rows of another table to which its own row does not belong."""

    table: str
    column: str
    target: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class References:
    """What export control may reach.

    Attributes:
        roots: Tables whose rows carry the flag.
        handles: Tables whose rows have a handle of their own.
        strong: How rows hang below others, for tables that the flag may reach.
        weak: Columns that name such rows without belonging to them.
    """

    roots: tuple[str, ...]
    handles: tuple[str, ...]
    strong: tuple[Reference, ...]
    weak: tuple[WeakReference, ...]

    @property
    def tables(self) -> frozenset[str]:
        """Tables that may hold controlled rows."""
        return frozenset({*self.roots, *(one.table for one in self.strong)})


def references(schema: GraphQLSchema, catalog: Catalog) -> References:
    """Derive what hangs below what.

    Args:
        schema: The schema that the catalog was derived from.
        catalog: Every table.
    """
    of_type = {entity.node_type: name for name, entity in catalog.entities.items()}
    roots = tuple(
        name
        for name in FLAGGED
        if name in catalog.entities and FLAG in {column.name for column in catalog.entities[name].columns}
    )
    every = [*_columns(schema, catalog, of_type), *_owners(catalog)]
    below = [one for one in every if (one.via, one.column) not in WEAK]
    below += _links(catalog)
    handles, named = _handles(schema, catalog)
    below += named
    reached = _reached(roots, handles, below)
    return References(
        roots,
        handles,
        tuple(one for one in below if one.target in reached),
        tuple(
            WeakReference(one.table, one.column, one.target, _is_list(catalog, one))
            for one in every
            if (one.via, one.column) in WEAK and one.target in reached
        ),
    )


def _columns(schema: GraphQLSchema, catalog: Catalog, of_type: Mapping[str, str]) -> Iterator[Reference]:
    """Columns that name rows of an entity."""
    for entity in catalog.entities.values():
        yield from _of_node(schema, entity.name, entity.node_type, entity.columns, of_type)
        for child in entity.children:
            if _is_link(child):
                target = of_type.get(child.node_type) or _BY_NAME.get((child.table, child.columns[0].name))
                if target:
                    yield Reference(child.table, child.table, "", child.columns[0].name, target)
            else:
                yield from _of_node(schema, child.table, child.node_type, child.columns, of_type)


def _of_node(
    schema: GraphQLSchema, table: str, node: str, columns: Collection[Column], of_type: Mapping[str, str]
) -> Iterator[Reference]:
    fields = schema.type_map[node]
    if not isinstance(fields, GraphQLObjectType):
        return
    for column in columns:
        target = _BY_NAME.get((table, column.name))
        beside = fields.fields.get(column.field.removesuffix("Id").removesuffix("ID"))
        if (
            target is None
            and column.field.endswith(("Id", "ID"))
            and beside
            and is_object_type(get_named_type(beside.type))
        ):
            target = of_type.get(get_named_type(beside.type).name)
        if target:
            yield Reference(table, table, "", column.name, target)


def _owners(catalog: Catalog) -> Iterator[Reference]:
    for entity in catalog.entities.values():
        for child in entity.children:
            yield Reference(child.table, child.table, "", child.owner_column.name, entity.name)


def _links(catalog: Catalog) -> Iterator[Reference]:
    """Rows that refer to others through a table of links."""
    for entity in catalog.entities.values():
        for child in entity.children:
            target = _BY_NAME.get((child.table, child.columns[0].name)) or _entity_of(catalog, child)
            if _is_link(child) and target:
                yield Reference(entity.name, child.table, child.owner_column.name, child.columns[0].name, target)
    # An issue about a unit need not hold its id: most name their units here and nowhere else.
    if {"issues", "issue_part_inventories"} <= catalog.entities.keys():
        yield Reference("issues", "issue_part_inventories", "issue_id", "part_inventory_id", "part_inventories")
    # Generation 1 of the as-built record: what is held by a unit's item is an installation in that unit.
    if {"abom_items", "abom_edges"} <= catalog.entities.keys():
        holder = Lookup("abom_items", "part_inventory_id", "id")
        yield Reference(
            "abom_items", "abom_edges", "child_abom_item_id", "parent_abom_item_id", "part_inventories", holder
        )


def _handles(schema: GraphQLSchema, catalog: Catalog) -> tuple[tuple[str, ...], list[Reference]]:
    """Tables whose rows have a handle, and columns that hold the handle of another row."""
    own: list[str] = []
    named: list[Reference] = []
    nodes = {name: entity.node_type for name, entity in catalog.entities.items()}
    nodes |= {child.table: child.node_type for entity in catalog.entities.values() for child in entity.children}
    for table in catalog.tables.values():
        if "entity_id" not in {column.name for column in table.columns}:
            continue
        node = schema.type_map[nodes[table.name]]
        is_own = isinstance(node, GraphQLObjectType) and isinstance(node.fields["entityId"].type, GraphQLNonNull)
        if is_own and table.name not in _ON_ANY_ENTITY and table.key == ("id",):
            own.append(table.name)
        else:
            named.append(Reference(table.name, table.name, "", "entity_id", ENTITIES))
    return tuple(own), named


def _reached(roots: Collection[str], handles: Collection[str], below: Collection[Reference]) -> set[str]:
    under: defaultdict[str, set[str]] = defaultdict(set)
    for one in below:
        under[one.target].add(one.table)
    for table in handles:
        under[table].add(ENTITIES)
    found, waiting = set(roots), list(roots)
    while waiting:
        for table in under[waiting.pop()] - found:
            found.add(table)
            waiting.append(table)
    return found


def _is_link(child: ChildList) -> bool:
    """Whether the list holds no more than the ids of other rows (and what the link itself says)."""
    return child.columns[0].field == "id" and child.columns[0].name != "id"


def _entity_of(catalog: Catalog, child: ChildList) -> str | None:
    return next((name for name, entity in catalog.entities.items() if entity.node_type == child.node_type), None)


def _is_list(catalog: Catalog, one: Reference) -> bool:
    return any(
        pa.types.is_list(column.arrow_type) for column in catalog.tables[one.via].columns if column.name == one.column
    )
