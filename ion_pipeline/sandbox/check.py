"""Checks a row of a world against the schema, before the row is loaded.

Only what identifies a row is required. Everything else may be absent: a nullable column is then null, a non-null column
has a neutral value (false, "", 0, an enum's first value), `_created` a fixed instant, `_etag` a digest of the row. Each
field that is present must exist in the schema and have its type.
Foreign keys and links may point at rows that the world does not contain: they resolve to nothing, as in ION the ids of
rows that the caller may not see.
"""

from typing import Any

from ion_pipeline.sandbox.model import VIEWS, WRITTEN_INSIDE, Column, Model, NodeType, Reference, known_model

#: Types whose rows need no key of their own: the steps at its ends identify an edge.
IDENTITY_OPTIONAL = frozenset({"RunStepsEdge", "StepsEdge"})


def check_row(type_name: str, row: Any, model: Model | None = None) -> None:
    """Checks one row and all inline rows in it.

    Raises:
        ValueError: The row is invalid; the message has the path of the field and the reason.
    """
    model = model or known_model()
    _check_row(model.types[type_name], row, model)


def row_key(node: NodeType, row: dict[str, Any]) -> tuple[Any, ...]:
    """The key of a checked row among the rows of its type."""
    return tuple(node.columns[name].read(row[name]) for name in node.key)


def is_attribute(node: NodeType) -> bool:
    """Whether the type is a custom-field type of one of the fifteen owner types."""
    return node.name.endswith("Attribute") and "key" in node.columns


def is_inline(node: NodeType) -> bool:
    """Whether rows of the type are written in full inside their owners: the shipped schema has no root for it."""
    return (node.root is None or node.name in WRITTEN_INSIDE) and node.name != "Organization"


def _check_row(node: NodeType, row: Any, model: Model) -> None:
    if type(row) is not dict:
        raise ValueError("it is not a JSON object")
    for name in _identity(node):
        if row.get(name) is None:
            raise ValueError(f'field "{name}" is missing: it identifies the row')
    for name, value in row.items():
        column = node.columns.get(name)
        if column is not None:
            _check_value(column, value)
        elif name not in node.references:
            raise ValueError(f'unknown field "{name}": {node.name} has no such column')
        elif value is not None:
            _check_reference(node.references[name], value, model)


def _check_value(column: Column, value: Any) -> None:
    if value is None:
        if column.default is not None:
            raise ValueError(f'field "{column.name}" is null, which the schema forbids (leave it out instead)')
        return
    try:
        column.read(value)
    except ValueError as error:
        raise ValueError(f'field "{column.name}": {error}') from None


def _identity(node: NodeType) -> tuple[str, ...]:
    if is_attribute(node):
        return ("key",)
    return () if node.name in IDENTITY_OPTIONAL else node.key


def _check_reference(reference: Reference, value: Any, model: Model) -> None:
    if reference.paged:
        raise ValueError(f'field "{reference.name}" is a connection: its rows belong in a file of their own')
    if reference.many and type(value) is not list:
        raise ValueError(f'field "{reference.name}" is not a list')
    items = value if reference.many else [value]
    for place, item in enumerate(items):
        where = f'field "{reference.name}"' + (f"[{place}]" if reference.many else "")
        try:
            _check_item(reference, item, model)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    keys = [item["key"] for item in items if "key" in item and not reference.union]
    if len(keys) != len(set(keys)):
        raise ValueError(f'field "{reference.name}": a key occurs twice, in {", ".join(map(repr, keys))}')


def _check_item(reference: Reference, item: Any, model: Model) -> None:
    if reference.union:
        if type(item) is not dict or set(item) != {"__typename", "id"} or item["__typename"] not in ("User", "Part"):
            raise ValueError('a link to a User or a Part is {"__typename": …, "id": …}')
        return
    target = model.types[reference.target]
    if target.name in VIEWS or is_inline(target):
        _check_row(target, item, model)
        return
    if type(item) is not dict or set(item) != {"id"}:
        raise ValueError(f'a link to a {reference.target} is {{"id": …}} and nothing else')
    if target.key != ("id",):
        raise ValueError(f"a {reference.target} has no id to link to: its rows belong in a file of their own")
    target.columns["id"].read(item["id"])
