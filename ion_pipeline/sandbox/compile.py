"""A validated selection as functions over many rows at once.

Each selected field becomes a column: a function from rows to values. Fields that a row holds are read by one
`itemgetter`, so a flat row costs a few microseconds; nothing is looked up in the schema while rows are answered. This
happens once per request, after graphql-core has validated the query against the served schema. Connections are
`compile_connection`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values

from ion_pipeline.sandbox.compile_connection import Part, connection_answer
from ion_pipeline.sandbox.connection import list_matches, page
from ion_pipeline.sandbox.counts import counter, is_count
from ion_pipeline.sandbox.filters import compile_filter
from ion_pipeline.sandbox.model import NodeType, is_connection
from ion_pipeline.sandbox.relations import Fetch, Relations, via
from ion_pipeline.sandbox.store import Row, Table

Answer = dict[str, Any]
Render = Callable[[Sequence[Row]], list[Any]]
Path = list[str | int]


@dataclass
class Compiler:
    """One operation's context.

    Attributes:
        schema: The served one.
        variables: Coerced.
        errors: Failures of nested fields, which are answered as null.
    """

    schema: GraphQLSchema
    relations: Relations
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    errors: list[GraphQLError] = field(default_factory=list)

    def subfields(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> dict[str, list[FieldNode]]:
        """Response key → field nodes, fragments and directives applied."""
        return collect_sub_fields(self.schema, self.fragments, self.variables, kind, nodes)

    def arguments(self, definition: GraphQLField, node: FieldNode) -> dict[str, Any]:
        """A field's coerced arguments.

        Raises:
            GraphQLError: A variable's value does not fit where it is used.
        """
        return get_argument_values(definition, node, self.variables)

    def rows(self, type_name: str, nodes: list[FieldNode], path: Path) -> Render:
        """A function from rows of a type to their answers."""
        kind = cast("GraphQLObjectType", self.schema.type_map[type_name])
        node = self.relations.store.model.types[type_name]
        selected = self.subfields(kind, nodes)
        keys, names = list(selected), [fields[0].name.value for fields in selected.values()]
        if len(names) > 1 and all(name in node.slots and not is_count(name) for name in names):
            pick = itemgetter(*(node.slots[name] for name in names))
            return lambda rows: [dict(zip(keys, pick(row), strict=True)) for row in rows]
        columns = [self._column(kind, node, fields, [*path, key]) for key, fields in selected.items()]
        return lambda rows: [
            dict(zip(keys, values, strict=True)) for values in zip(*(column(rows) for column in columns), strict=True)
        ]

    def _column(self, kind: GraphQLObjectType, node: NodeType, fields: list[FieldNode], path: Path) -> Render:
        name = fields[0].name.value
        if name == "__typename":
            return lambda rows: [kind.name] * len(rows)
        if is_count(name):
            count = counter(self.relations, node, name)
            return lambda rows: [count(row) for row in rows]
        if name in node.slots:
            slot = node.slots[name]
            return lambda rows: [row[slot] for row in rows]
        try:
            arguments = self.arguments(kind.fields[name], fields[0])
            if name in node.references:
                return self._reference(kind.fields[name], node, fields, path, arguments)
            return _first_inventory(self.relations, node, include_on_order=arguments["includeOnOrder"])
        except GraphQLError as error:
            self.errors.append(GraphQLError(error.message, fields, path=path))
            return lambda rows: [None] * len(rows)

    def _reference(
        self, definition: GraphQLField, node: NodeType, fields: list[FieldNode], path: Path, arguments: Answer
    ) -> Render:
        reference = node.references[fields[0].name.value]
        fetch = self.relations.fetch(node.name, reference.name)
        if is_connection(definition):
            answer = connection_answer(self, definition, reference.target, fields, path)
            return self._paged(reference.target, fetch, arguments, answer)
        if reference.union:
            return _single(fetch, self._union(cast("GraphQLUnionType", get_named_type(definition.type)), fields, path))
        keep = compile_filter(self.relations, reference.target, arguments.get("filters"))
        if keep is not None:
            fetch = _filtered(fetch, keep)
        render = self.rows(reference.target, fields, path)
        return _many(fetch, render) if reference.many else _single(fetch, render)

    def _union(self, union: GraphQLUnionType, fields: list[FieldNode], path: Path) -> Render:
        tables = [self.relations.store.tables[kind.name] for kind in union.types]
        renders = [self.rows(table.node.name, fields, path) for table in tables]

        def answer(row: Row) -> Any:
            return next(one([row])[0] for table, one in zip(tables, renders, strict=True) if _holds(table, row))

        return lambda rows: [answer(row) for row in rows]

    def _paged(self, target: str, fetch: Fetch, arguments: Answer, answer: Part) -> Render:
        table = self.relations.store.tables[target]

        def one(row: Row) -> Any:
            matches = list_matches(self.relations, table, fetch(row), arguments)
            return answer(page(matches, arguments), matches)

        return lambda rows: [one(row) for row in rows]


def _holds(table: Table, row: Row) -> bool:
    return table.get(table.key_of(row)) is row


def _filtered(fetch: Fetch, keep: Callable[[Row], bool]) -> Fetch:
    return lambda row: [found for found in fetch(row) if keep(found)]


def _single(fetch: Fetch, render: Render) -> Render:
    """Rows that several owners share are answered once."""

    def column(rows: Sequence[Row]) -> list[Any]:
        found = [next(iter(fetch(row)), None) for row in rows]
        shared = {id(row): row for row in found if row is not None}
        answers = dict(zip(shared, render(list(shared.values())), strict=True))
        return [None if row is None else answers[id(row)] for row in found]

    return column


def _many(fetch: Fetch, render: Render) -> Render:
    def column(rows: Sequence[Row]) -> list[Any]:
        lists = [fetch(row) for row in rows]
        answers = iter(render([row for found in lists for row in found]))
        return [[next(answers) for _ in found] for found in lists]

    return column


def _first_inventory(relations: Relations, node: NodeType, *, include_on_order: bool) -> Render:
    """A kit line's first stock at hand as ION shows it: its serial or lot number."""
    fetch, slots = via("part.partsInventory")(relations, node), relations.store.model.types["PartInventory"].slots
    status, serial, lot = slots["status"], slots["serialNumber"], slots["lotNumber"]
    wanted = ("AVAILABLE", "ON_ORDER") if include_on_order else ("AVAILABLE",)

    def shown(row: Row) -> Any:
        return next((one[serial] or one[lot] for one in fetch(row) if one[status] in wanted), None)

    return lambda rows: [shown(row) for row in rows]
