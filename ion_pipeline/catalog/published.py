"""The published table of each entity and list: which ones there are, and the names and descriptions of their columns.

Names follow the staging views, so that a column has one name in all published tables: `part_id` for a part's own id,
`is_` for booleans, `_at` for instants, and the table's name before a word that says nothing alone (`part_description`).
The rules apply to every column, adopted ones included; `overrides.yml` holds the exceptions.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, count

from ion_pipeline.catalog.catalog import TIMESTAMP, Catalog, ChildList, Column, Entity, known_overrides
from ion_pipeline.catalog.naming import singular

_SYSTEM = {"_created": "created_at", "_updated": "updated_at", "_etag": "etag", "_deleted": "is_deleted"}
_SAY_NOTHING_ALONE = frozenset({"description", "id", "key", "name", "revision", "title", "type", "version"})
#: The columns that a published table has in addition to those of ION.
ATTRIBUTES, FLAG = "attributes", "is_export_controlled"
# Lists that hold rows of one type under many owners: a row has the same id in all of them.
_NOUNS = {"FileAttachment": "file_attachment"}
_SAYS_YES_OR_NO = ("is_", "has_", "can_")


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column of a published table.

    Attributes:
        name: Name in the published table.
        raw: The column of `raw` that it is read from.
        is_text_instant: ION gives an instant as text, which is converted.
        description: What ION says about the field, with its place in ION's schema.
    """

    name: str
    raw: Column
    is_text_instant: bool
    description: str


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """The published table of an entity or of a list.

    Attributes:
        name: Name of the table, in `raw` and published.
        description: Begins with what one row is.
        columns: In the order of ION's schema; for a list, the owner's id first.
        key: The key in `raw`.
        attributes: The list table of its custom attributes; empty if it has none.
        attributes_owner: The column of that table with the owner's id; empty if it has none.
    """

    name: str
    description: str
    columns: tuple[PublishedColumn, ...]
    key: tuple[str, ...]
    attributes: str = ""
    attributes_owner: str = ""


def published_tables(catalog: Catalog) -> tuple[PublishedTable, ...]:
    """The published table of every entity that is not administrative, each followed by those of its lists."""
    return tuple(
        table for entity in catalog.entities.values() if not entity.is_administrative for table in _tables_of(entity)
    )


def is_attributes(child: ChildList) -> bool:
    """Whether a list holds custom attributes: a key and a value for each."""
    return child.key[1:] == ("key",)


def _tables_of(entity: Entity) -> Iterator[PublishedTable]:
    attributes = next((child for child in entity.children if is_attributes(child)), None)
    columns = tuple(_columns(entity.name, singular(entity.name), entity.node_type, entity.columns))
    yield PublishedTable(
        entity.name,
        f"One row per {_key(entity.key, columns)}: ION's `{entity.root_field}` (`{entity.node_type}`) as they are now.",
        columns,
        entity.key,
        attributes.table if attributes else "",
        attributes.owner_column.name if attributes else "",
    )
    for child in entity.children:
        owner = PublishedColumn(
            child.owner_column.name, child.owner_column, False, f"The row of ion.{entity.name} that has the list."
        )
        noun = "attribute" if is_attributes(child) else _NOUNS.get(child.node_type, singular(child.table))
        columns = (owner, *_columns(child.table, noun, child.node_type, child.columns, taken={owner.name}))
        yield PublishedTable(
            child.table,
            f"One row per {_key(child.key, columns)}: `{child.field}` of ION's `{entity.root_field}` as they are now.",
            columns,
            child.key,
        )


def _columns(
    table: str, noun: str, node: str, columns: tuple[Column, ...], taken: Collection[str] = ()
) -> Iterator[PublishedColumn]:
    taken = {ATTRIBUTES, FLAG, *taken}
    for column in columns:
        # The field of a newer ION may have a name that is taken; it then keeps its own.
        names = chain((published_name(table, noun, column), column.name), (f"{column.name}_{n}" for n in count(2)))
        name = next(one for one in names if one not in taken)
        taken.add(name)
        is_instant = f"{table}.{column.name}" in known_overrides().text_instants
        yield PublishedColumn(name, column, is_instant, _description(node, column))


def published_name(table: str, noun: str, column: Column) -> str:
    """The name of a column in the published table.

    Args:
        table: The table.
        noun: What one row is, for the names that need it: `part` gives `part_id` and `part_description`.
        column: The column of `raw`.
    """
    name, exceptions = column.name, known_overrides().published_names
    known = exceptions.get(f"{table}.{name}") or exceptions.get(f"*.{name}") or _SYSTEM.get(name)
    return known or _with_noun(name, noun) or _by_type(column)


def _with_noun(name: str, noun: str) -> str:
    """The name of a column whose own name says nothing without its table; empty for any other column."""
    if name in _SAY_NOTHING_ALONE:
        return f"{noun}_{name}"
    return {"parent_id": f"parent_{noun}_id", "family_id": f"{noun}_family_id"}.get(name, "")


def _by_type(column: Column) -> str:
    name = column.name
    if column.graphql_type == "Boolean":
        return name if name.startswith(_SAYS_YES_OR_NO) else f"is_{name}"
    if column.arrow_type == TIMESTAMP:
        return name if name.endswith("_at") else f"{name.removesuffix('_date').removesuffix('_time')}_at"
    return "value_json" if name == "value" and column.is_json else name


def _key(key: tuple[str, ...], columns: tuple[PublishedColumn, ...]) -> str:
    names = {column.raw.name: column.name for column in reversed(columns)}
    return " and ".join(names[name] for name in key)


def _description(node: str, column: Column) -> str:
    said = f"{' '.join(column.description.split())} " if column.description else ""
    form = ", JSON" if column.is_json else f": {', '.join(column.members)}" if column.members else ""
    return f"{said}ION's `{node}.{column.field}`{form}."
