"""Converts a page's nodes to record batches, for the entity's table and for the tables of the lists inside."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from ion_pipeline.catalog.shape import FieldShape, ListShape, NodeShape
from ion_pipeline.client import UnexpectedAnswerError
from ion_pipeline.client.parts import Part, kind_of
from ion_pipeline.extract.values import WrongValueError, to_array

Node = dict[str, Any]
_OBJECTS = frozenset({dict})


def to_batches(nodes: Sequence[Node], shape: NodeShape) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Convert a page.

    Args:
        nodes: The page's nodes, parsed from JSON.
        shape: What was selected.

    Yields:
        Table name and batch: the node's own table first, even without rows; a list's table only if it has rows.

    Raises:
        UnexpectedAnswerError: A value does not have its column's type. The message names table, field and id, but not
            the value.
    """
    yield from _batches(nodes, None, shape)


def keys_of(shape: NodeShape, ids: Sequence[int]) -> pa.RecordBatch:
    """The ids of rows to delete, in the type of the table's column, which is text in the table of a list."""
    kind = shape.arrow_schema.field("id").type
    return pa.RecordBatch.from_arrays([pa.array(ids, pa.int64()).cast(kind)], ["id"])


def _batches(
    nodes: Sequence[Node], owners: Sequence[int] | None, shape: NodeShape
) -> Iterator[tuple[str, pa.RecordBatch]]:
    if not _OBJECTS.issuperset(map(type, nodes)):
        wrong = next(node for node in nodes if type(node) is not dict)
        raise _no_row(f"{shape.table}: ION gave {kind_of(wrong)} in place of a row.")
    arrays = [pa.array(owners, pa.int64())] if owners is not None else []
    arrays += [_array(nodes, field, shape, owners) for field in shape.fields]
    yield shape.table, pa.RecordBatch.from_arrays(arrays, schema=shape.arrow_schema)
    for child in shape.lists:
        lists = _lists(nodes, child, shape, owners)
        elements = [element for value in lists for element in value]
        if elements:
            owner_ids = _owners(nodes, lists, child, shape) if child.node.owner else None
            yield from _batches(elements, owner_ids, child.node)


def _array(nodes: Sequence[Node], field: FieldShape, shape: NodeShape, owners: Sequence[int] | None) -> pa.Array:
    column = field.column
    if not field.present:
        return pa.nulls(len(nodes), column.arrow_type)
    try:
        return to_array(list(map(itemgetter(column.field), nodes)), column, as_text=field.as_text)
    except WrongValueError as error:
        raise UnexpectedAnswerError(
            f"{shape.table}: field {column.field} of {_name(nodes, error.index, shape, owners)} is {error.reason}; "
            f"ION's schema says {column.graphql_type}.",
            remedy="Leave the entity out of ION_ENTITIES, and report the field and both types.",
        ) from None
    except KeyError:
        raise _left_out(nodes, column.field, shape, owners) from None


def _lists(nodes: Sequence[Node], child: ListShape, shape: NodeShape, owners: Sequence[int] | None) -> list[list[Node]]:
    """The rows of a list inside each node. Raises UnexpectedAnswerError where an element is not an object."""
    try:
        values = list(map(itemgetter(child.field), nodes))
    except KeyError:
        raise _left_out(nodes, child.field, shape, owners) from None
    if child.is_connection:
        values = [_rows_of(value, child, _name(nodes, at, shape, owners), shape) for at, value in enumerate(values)]
    elif not child.is_list:
        values = [[value] if value is not None else [] for value in values]
    for index, value in enumerate(values):
        if value is not None and not isinstance(value, list):
            name = _name(nodes, index, shape, owners)
            raise _no_row(f"{shape.table}: {child.field} of {name} is {kind_of(value)}, not a list.")
        if value and not _OBJECTS.issuperset(map(type, value)):
            at = next(at for at, row in enumerate(value) if type(row) is not dict)
            where = f"{child.field}[{at}]" if child.is_list else child.field
            name = _name(nodes, index, shape, owners)
            raise _no_row(f"{shape.table}: {where} of {name} is {kind_of(value[at])} in place of a row.")
    return [value or [] for value in values]


def _rows_of(value: Any, child: ListShape, owner: str, shape: NodeShape) -> list[Node]:
    """The rows of a connection inside a node. Raises UnexpectedAnswerError if ION holds some of them back."""
    if value is None:
        return []
    connection = Part(value, f"{shape.table}, {owner}", child.field)
    if connection.part("pageInfo").part("hasNextPage").value is not False:
        raise UnexpectedAnswerError(
            f"{shape.table}: ION gave only some of the rows of {child.field} of {owner}.",
            remedy=f"Remove the line of {child.field} from adopted.graphql, and report it. Nothing was kept.",
        )
    return connection.part("edges").elements().each("node").objects()


def _owners(nodes: Sequence[Node], lists: Sequence[Sequence[Node]], child: ListShape, shape: NodeShape) -> list[int]:
    for index, (node, value) in enumerate(zip(nodes, lists, strict=True)):
        if value and type(node.get("id")) is not int:
            name = _name(nodes, index, shape, None)
            raise _no_row(f"{shape.table}: {child.field} has rows, and their owner is {name}.")
    return [node["id"] for node, value in zip(nodes, lists, strict=True) for _ in value]


def _name(nodes: Sequence[Node], index: int, shape: NodeShape, owners: Sequence[int] | None) -> str:
    """A row's name in messages: by its owner's id, by its own id, or by its position if the id is not a number."""
    if shape.owner and owners:
        return f"a row of {shape.owner.name} {owners[index]}"
    node = nodes[index]
    if type(node.get("id")) is int:
        return f"id {node['id']}"
    return f"row {index + 1} ({'its id is ' + kind_of(node['id']) if 'id' in node else 'without an id'})"


def _left_out(
    nodes: Sequence[Node], field: str, shape: NodeShape, owners: Sequence[int] | None
) -> UnexpectedAnswerError:
    index = next(index for index, node in enumerate(nodes) if field not in node)
    name = _name(nodes, index, shape, owners)
    return _no_row(f"{shape.table}: ION's answer lacks field {field} of {name}, although it was selected.")


def _no_row(message: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        message, remedy="Nothing was kept. Try again; if the error persists, report it to ION's support."
    )
