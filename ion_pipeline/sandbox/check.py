"""Whether a row of a world can stand: against the schema, before anything is built from it.

Required is only what identifies a row. Everything else may be absent: a nullable column is then null, a column the
schema promises to be non-null answers with a neutral value (false, "", 0, an enum's first value), `_created` with a
fixed instant, `_etag` with a digest of the row. What is present must be known to the schema and of its type.
Foreign keys and links may point at rows the world does not have: they resolve to nothing, as ids of rows that the
caller may not see do in ION.
"""

from typing import Any

from ion_pipeline.sandbox.model import VIEWS, Column, Model, NodeType, Reference, known_model

#: Inline rows whose identity follows from their owner when they do not give it: attributes by their key, edges by
#: their ends.
IDENTITY_OPTIONAL = frozenset({"RunStepsEdge", "StepsEdge"})


def check_row(type_name: str, row: Any, model: Model | None = None) -> None:
    """Checks one row, with everything inline in it.

    Raises:
        ValueError: The reason the row cannot stand, with the path of the field.
    """
    model = model or known_model()
    _check_row(model.types[type_name], row, model)


def row_key(node: NodeType, row: dict[str, Any]) -> tuple[Any, ...]:
    """What identifies a checked row among the rows of its type."""
    return tuple(node.columns[name].read(row[name]) for name in node.key)


def is_attribute(node: NodeType) -> bool:
    """Whether the type is one of the fifteen owners' custom-field types."""
    return node.name.endswith("Attribute") and "key" in node.columns


def is_inline(node: NodeType) -> bool:
    """Whether rows of the type stand in full inside their owners, having no root connection to stand in."""
    return node.root is None and node.name != "Organization"


def _check_row(node: NodeType, row: Any, model: Model) -> None:
    if type(row) is not dict:
        raise ValueError("it is not a JSON object")
    for name in _identity(node):
        if row.get(name) is None:
            raise ValueError(f'field "{name}" is missing: it is what identifies the row')
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
        raise ValueError(f'field "{reference.name}" is a connection: its rows stand in their own file')
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
        raise ValueError(f'field "{reference.name}": a key stands twice, in {", ".join(map(repr, keys))}')


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
        raise ValueError(f"a {reference.target} has no id to link to: its rows stand in their own file")
    target.columns["id"].read(item["id"])
