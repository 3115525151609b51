"""What is read of a node and which tables it goes to: the one description that queries and conversion share.

A shape is a tree like the GraphQL selection it stands for. Pure data; `negotiate` makes it, `query` and `arrow` use it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from ion_pipeline.catalog.catalog import Column


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One column as this tenant has it.

    Attributes:
        column: The catalog's column.
        present: The tenant has the field; if not, the column is null.
        as_text: The tenant's scalar is of another kind and its JSON text is kept, without loss.
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
        owner: The first column of a child table; None where rows do not carry their owner's id.
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
        """Whether a list inside takes this node's id along."""
        return any(child.node.owner for child in self.lists)

    def tables(self) -> Iterator[str]:
        """All tables that rows go to, the node's own first."""
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
    """

    field: str
    is_list: bool
    node: NodeShape
