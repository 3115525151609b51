"""What is read of a node, and into which tables: the description that queries and conversion share.

A shape is a tree with the structure of a GraphQL selection. Pure data: `negotiate` makes it, `query` and
`extract/arrow` use it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from ion_pipeline.catalog.catalog import Column


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One column, and how this tenant provides it.

    Attributes:
        column: The catalog's column.
        present: Whether the tenant has the field; if not, the column is null.
        as_text: Whether the tenant's scalar has another type; its JSON text is then stored, without loss.
    """

    column: Column
    present: bool = True
    as_text: bool = False


@dataclass(frozen=True)
class NodeShape:
    """One node type inside a query, and its table.

    Attributes:
        table: The table its rows go to.
        fields: The table's own columns in order, without the owner's id.
        owner: The first column of a child table; None where rows do not store their owner's id.
        lists: Lists (or single objects) inside the node.
    """

    table: str
    fields: tuple[FieldShape, ...]
    owner: Column | None = None
    lists: tuple["ListShape", ...] = ()

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """Schema of the table's record batches: all columns of the catalog, whether the tenant has them or not."""
        columns = [*([self.owner] if self.owner else []), *(field.column for field in self.fields)]
        return pa.schema([pa.field(column.name, column.arrow_type) for column in columns])

    @property
    def needs_id(self) -> bool:
        """Whether a list inside stores this node's id."""
        return any(child.node.owner for child in self.lists)

    def tables(self) -> Iterator[str]:
        """All tables that the rows are written to, the node's own first."""
        yield self.table
        for child in self.lists:
            yield from child.node.tables()


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list inside a node.

    Attributes:
        field: The list's GraphQL field.
        is_list: False where the field holds one object or null.
        node: What is read of its elements.
        is_connection: The tenant gives the list as a connection, with its rows under `edges`.
    """

    field: str
    is_list: bool
    node: NodeShape
    is_connection: bool = False
