"""A page's nodes as record batches, column by column, for the entity's table and those of the lists inside."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from ion_pipeline.client import SchemaMismatchError
from ion_pipeline.extract.shape import FieldShape, ListShape, NodeShape
from ion_pipeline.extract.values import WrongValueError, to_array

Node = dict[str, Any]


def to_batches(nodes: Sequence[Node], shape: NodeShape) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Convert a page.

    Args:
        nodes: The page's nodes as parsed from JSON.
        shape: What was asked for.

    Yields:
        Table name and batch: the node's own table first, also when there are no rows; a list's table only with rows.

    Raises:
        SchemaMismatchError: A value has another type than its column. Names table, field and id, never the value.
    """
    yield from _batches(nodes, None, shape)


def _batches(
    nodes: Sequence[Node], owners: Sequence[int] | None, shape: NodeShape
) -> Iterator[tuple[str, pa.RecordBatch]]:
    if None in nodes:
        raise SchemaMismatchError(
            f"{shape.table}: ION gave null in place of a row.", remedy="Report it to ION's support, with the entity."
        )
    arrays = [pa.array(owners, pa.int64())] if owners is not None else []
    arrays += [_array(nodes, field, shape.table) for field in shape.fields]
    yield shape.table, pa.RecordBatch.from_arrays(arrays, schema=shape.arrow_schema)
    for child in shape.lists:
        lists = _lists(nodes, child, shape.table)
        elements = [element for value in lists for element in value]
        if elements:
            yield from _batches(elements, _owners(nodes, lists) if child.node.owner else None, child.node)


def _array(nodes: Sequence[Node], field: FieldShape, table: str) -> pa.Array:
    column = field.column
    if not field.present:
        return pa.nulls(len(nodes), column.arrow_type)
    try:
        return to_array(list(map(itemgetter(column.field), nodes)), column, as_text=field.as_text)
    except WrongValueError as error:
        raise SchemaMismatchError(
            f"{table}: field {column.field} of {_name(nodes[error.index])} is {error.reason}; "
            f"ION's schema says {column.graphql_type}.",
            remedy="Leave the entity out of ION_ENTITIES until its type is settled, and report it.",
        ) from None
    except KeyError:
        raise SchemaMismatchError(
            f"{table}: ION left out field {column.field}, which was asked for.", remedy="Report it to ION's support."
        ) from None


def _lists(nodes: Sequence[Node], child: ListShape, table: str) -> list[list[Node]]:
    values = list(map(itemgetter(child.field), nodes))
    if not child.is_list:
        return [[value] if value is not None else [] for value in values]
    for node, value in zip(nodes, values, strict=True):
        if value is not None and not isinstance(value, list):
            raise SchemaMismatchError(
                f"{table}: {child.field} of {_name(node)} is no list.", remedy="Report it; ION's schema says it is one."
            )
    return [value or [] for value in values]


def _owners(nodes: Sequence[Node], lists: Sequence[Sequence[Node]]) -> list[int]:
    return [node["id"] for node, value in zip(nodes, lists, strict=True) for _ in value]


def _name(node: Node) -> str:
    return f"id {node['id']}" if "id" in node else "a row without an id"
