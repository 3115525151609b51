"""Which rows refer to which rows: along these references, export control of one row extends to others.

References are derived from the schema: `partId` next to `part: Part` refers to parts, a row of a child list refers to
its owner, and a row with a list of links refers to the linked rows. `_BY_NAME` holds the references that cannot be
derived. A strong reference means "belongs to"; `WEAK` holds the columns that mean something else, with the reason.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type, is_object_type

from ion_pipeline.catalog.catalog import Catalog, ChildList, Column

#: Entities whose own rows say that they are export controlled.
FLAGGED = ("parts", "procedures", "runs")
FLAG = "export_controlled"
#: Their field that says so.
FLAG_FIELD = "exportControlled"

# Columns whose type has no object field of the same name, and the entity that each refers to.
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

#: Weak references: columns that mean something else than "belongs to", with the reason.
WEAK = {
    ("parts", "revised_from_id"): "each revision has its own flag and does not inherit that of an earlier one",
    ("steps", "origin_step_id"): "where a step was copied from: the procedure it is in now has its own flag",
    ("abom_items", "parent_id"): "one of several parents; the edges say which item holds which",
    ("abom_items", "acceptable_part_ids"): "possible substitutes for the part, not the part itself",
    ("part_inventories", "merge_candidate_ids"): "a proposal by ION",
    ("run_steps", "upstream_step_ids"): "the order of steps: a step belongs to its run and its parent",
    ("run_steps", "downstream_step_ids"): "the order of steps",
    ("steps", "upstream_step_ids"): "the order of steps: a step belongs to its procedure and its parent",
    ("steps", "downstream_step_ids"): "the order of steps",
}

#: The target of a reference by handle. ION gives most rows an `entityId` (the handle); a comment, a label or a custom
#: field refers to a row of any table by it.
ENTITIES = "entities"
# A non-null `entityId` is the row's own handle, a nullable one names another row. In these tables it always does.
_ON_ANY_ENTITY = ("barcode_labels", "user_subscriptions")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table between the two rows: `select to_column from table where from_column in (ids of target rows)`."""

    table: str
    from_column: str
    to_column: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A strong reference: rows of one table belong to rows of another.

    Attributes:
        table: The table whose rows refer.
        via: The table that holds the reference: `table` itself, or a table of links.
        own: Column of `via` with the id of the referring row; empty where `via` is `table`.
        column: Column of `via` that names the target row.
        target: The table that is referred to; `ENTITIES` where the target row is named by its handle.
        lookup: How to find the target row, where `column` does not hold its id.
    """

    table: str
    via: str
    own: str
    column: str
    target: str
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class WeakReference:
    """A column that names rows of another table, although its own row does not belong to them."""

    table: str
    column: str
    target: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class References:
    """The references along which export control extends.

    Attributes:
        roots: Tables whose rows carry the flag.
        handles: Tables whose rows have their own handle.
        strong: References by which a row belongs to another, for targets that the flag may reach.
        weak: Columns that name such targets without belonging to them.
        keys: The table whose id a column holds, by (table, column): all columns, whether the flag extends along them or
            not.
    """

    roots: tuple[str, ...]
    handles: tuple[str, ...]
    strong: tuple[Reference, ...]
    weak: tuple[WeakReference, ...]
    # Not printed: the text of the references is what export control depends on.
    keys: Mapping[tuple[str, str], str] = field(repr=False)

    @property
    def tables(self) -> frozenset[str]:
        """Tables that may hold controlled rows."""
        return frozenset({*self.roots, *(one.table for one in self.strong)})


def references(schema: GraphQLSchema, catalog: Catalog) -> References:
    """Derive the references between tables.

    Args:
        schema: The schema that the catalog is derived from.
        catalog: The catalog with every table.
    """
    of_type = {entity.node_type: name for name, entity in catalog.entities.items()}
    roots = tuple(
        name
        for name in FLAGGED
        if name in catalog.entities and FLAG in {column.name for column in catalog.entities[name].columns}
    )
    every = [*_columns(schema, catalog, of_type), *_owners(catalog)]
    strong = [one for one in every if (one.via, one.column) not in WEAK]
    strong += _links(catalog)
    handles, by_handle = _handles(schema, catalog)
    strong += by_handle
    reached = _reached(roots, handles, strong)
    return References(
        roots,
        handles,
        tuple(one for one in strong if one.target in reached),
        tuple(
            WeakReference(one.table, one.column, one.target, _is_list(catalog, one))
            for one in every
            if (one.via, one.column) in WEAK and one.target in reached
        ),
        {(one.via, one.column): one.target for one in every if not _is_list(catalog, one)},
    )


def _columns(schema: GraphQLSchema, catalog: Catalog, of_type: Mapping[str, str]) -> Iterator[Reference]:
    """References in columns: the row itself names a row of an entity."""
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
        sibling = fields.fields.get(column.field.removesuffix("Id").removesuffix("ID"))
        if (
            target is None
            and column.field.endswith(("Id", "ID"))
            and sibling
            and is_object_type(get_named_type(sibling.type))
        ):
            target = of_type.get(get_named_type(sibling.type).name)
        if target:
            yield Reference(table, table, "", column.name, target)


def _owners(catalog: Catalog) -> Iterator[Reference]:
    for entity in catalog.entities.values():
        for child in entity.children:
            yield Reference(child.table, child.table, "", child.owner_column.name, entity.name)


def _links(catalog: Catalog) -> Iterator[Reference]:
    """References through a table of links."""
    for entity in catalog.entities.values():
        for child in entity.children:
            target = _BY_NAME.get((child.table, child.columns[0].name)) or _entity_of(catalog, child)
            if _is_link(child) and target:
                yield Reference(entity.name, child.table, child.owner_column.name, child.columns[0].name, target)
    # Most issues name their units only in this table; an issue's own row need not hold a unit's id.
    if {"issues", "issue_part_inventories"} <= catalog.entities.keys():
        yield Reference("issues", "issue_part_inventories", "issue_id", "part_inventory_id", "part_inventories")
    # Generation 1 of the as-built record: an item under a unit's item is an installation in that unit.
    if {"abom_items", "abom_edges"} <= catalog.entities.keys():
        holder = Lookup("abom_items", "part_inventory_id", "id")
        yield Reference(
            "abom_items", "abom_edges", "child_abom_item_id", "parent_abom_item_id", "part_inventories", holder
        )


def _handles(schema: GraphQLSchema, catalog: Catalog) -> tuple[tuple[str, ...], list[Reference]]:
    """Tables whose rows have their own handle, and references by the handle of another row."""
    own: list[str] = []
    by_handle: list[Reference] = []
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
            by_handle.append(Reference(table.name, table.name, "", "entity_id", ENTITIES))
    return tuple(own), by_handle


def _reached(roots: Collection[str], handles: Collection[str], strong: Collection[Reference]) -> set[str]:
    """The tables that the flag may reach from the roots."""
    referring: defaultdict[str, set[str]] = defaultdict(set)
    for one in strong:
        referring[one.target].add(one.table)
    for table in handles:
        referring[table].add(ENTITIES)
    found, waiting = set(roots), list(roots)
    while waiting:
        for table in referring[waiting.pop()] - found:
            found.add(table)
            waiting.append(table)
    return found


def _is_link(child: ChildList) -> bool:
    """Whether the list holds only the ids of other rows, and fields of the link itself."""
    return child.columns[0].field == "id" and child.columns[0].name != "id"


def _entity_of(catalog: Catalog, child: ChildList) -> str | None:
    return next((name for name, entity in catalog.entities.items() if entity.node_type == child.node_type), None)


def _is_list(catalog: Catalog, one: Reference) -> bool:
    return any(
        pa.types.is_list(column.arrow_type) for column in catalog.tables[one.via].columns if column.name == one.column
    )
