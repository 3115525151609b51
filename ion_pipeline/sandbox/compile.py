"""Compiles a validated selection to functions that answer many rows at once.

Each selected field becomes a column: a function from rows to values. One `itemgetter` reads all fields that a row
itself contains, so a flat row costs a few microseconds, and nothing is looked up in the schema while rows are answered.
A request is compiled once, after graphql-core has validated it against the served schema. `compile_connection`
compiles what a connection has around its rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
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

from ion_pipeline.sandbox.compile_connection import ConnectionCompiler, Part, Path, Render
from ion_pipeline.sandbox.connection import list_matches, page
from ion_pipeline.sandbox.counts import counter, is_count
from ion_pipeline.sandbox.file_host import LINK_FIELDS, LINKED_TYPE
from ion_pipeline.sandbox.filters import compile_filter
from ion_pipeline.sandbox.model import NodeType, Reference, is_connection
from ion_pipeline.sandbox.relations import Fetch, Relations, via
from ion_pipeline.sandbox.store import Row, Table
from ion_pipeline.sandbox.today import WRITTEN_AS

Answer = dict[str, Any]
Link = Callable[[int, str | None], str]


@dataclass
class Compiler:
    """Compiles the selections of one operation.

    Attributes:
        schema: The served schema.
        variables: The operation's variables, coerced.
        link: Gives a new link to a file: (id, name) → link. Without it, links are answered as the world has them.
        errors: Errors of nested fields, which are answered as null.
    """

    schema: GraphQLSchema
    relations: Relations
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    link: Link | None = None
    errors: list[GraphQLError] = field(default_factory=list)

    def subfields(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> dict[str, list[FieldNode]]:
        """The selected fields of a type, with fragments and directives applied: response key → field nodes."""
        return collect_sub_fields(self.schema, self.fragments, self.variables, kind, nodes)

    def arguments(self, definition: GraphQLField, node: FieldNode) -> dict[str, Any]:
        """A field's coerced arguments.

        Raises:
            GraphQLError: The value of a variable has the wrong type for the argument.
        """
        return get_argument_values(definition, node, self.variables)

    def rows(self, type_name: str, nodes: list[FieldNode], path: Path) -> Render:
        """Compile the selection on a type to a function from rows to their answers."""
        kind = cast("GraphQLObjectType", self.schema.type_map[type_name])
        node = self.relations.store.model.types[type_name]
        selected = self.subfields(kind, nodes)
        keys, names = list(selected), [fields[0].name.value for fields in selected.values()]
        if len(names) > 1 and all(self._is_stored(node, name) for name in names):
            pick = itemgetter(*(node.slots[name] for name in names))
            return lambda rows: [dict(zip(keys, pick(row), strict=True)) for row in rows]
        columns = [self._column(kind, node, fields, [*path, key]) for key, fields in selected.items()]
        return lambda rows: [
            dict(zip(keys, values, strict=True)) for values in zip(*(column(rows) for column in columns), strict=True)
        ]

    def connection(self, definition: GraphQLField, target: str, fields: list[FieldNode], path: Path) -> Part:
        """Compile the selection on a connection to a function from a page to its answer."""
        slots = self.relations.store.model.types[target].slots
        return ConnectionCompiler(self.subfields, partial(self.rows, target), slots).answer(definition, fields, path)

    def _column(self, kind: GraphQLObjectType, node: NodeType, fields: list[FieldNode], path: Path) -> Render:
        name = fields[0].name.value
        if name == "__typename":
            return lambda rows: [kind.name] * len(rows)
        if is_count(name):
            count = counter(self.relations, node, name)
            return lambda rows: [count(row) for row in rows]
        if name in node.slots:
            slot = node.slots[name]
            return self._links(node, slot) if self._is_link(node, name) else lambda rows: [row[slot] for row in rows]
        try:
            definition = kind.fields[name]
            arguments = self.arguments(definition, fields[0])
            reference = node.references.get(definition.extensions.get(WRITTEN_AS, name))
            if reference is not None:
                fetch = self.relations.fetch(node.name, reference.name)
                return self._reference(definition, reference, fetch, arguments, (fields, path))
            return _first_inventory(self.relations, node, include_on_order=arguments["includeOnOrder"])
        except GraphQLError as error:
            self.errors.append(GraphQLError(error.message, fields, path=path))
            return lambda rows: [None] * len(rows)

    def _is_stored(self, node: NodeType, name: str) -> bool:
        return name in node.slots and not is_count(name) and not self._is_link(node, name)

    def _is_link(self, node: NodeType, name: str) -> bool:
        return self.link is not None and node.name == LINKED_TYPE and name in LINK_FIELDS

    def _links(self, node: NodeType, slot: int) -> Render:
        """A new link to each file; none where the world has none."""
        link, key, filename = self.link, node.slots["id"], node.slots["filename"]
        if link is None:
            raise AssertionError("asked for without a way to sign")
        return lambda rows: [row[slot] and link(row[key], row[filename]) for row in rows]

    def _reference(
        self,
        definition: GraphQLField,
        reference: Reference,
        fetch: Fetch,
        arguments: Answer,
        selected: tuple[list[FieldNode], Path],
    ) -> Render:
        fields, path = selected
        if is_connection(definition):
            answer = self.connection(definition, reference.target, fields, path)
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
    """A column of single rows; a row that several owners share is answered once."""

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
    """The serial or lot number of a kit line's first available inventory, as ION shows it."""
    fetch, slots = via("part.partsInventory")(relations, node), relations.store.model.types["PartInventory"].slots
    status, serial, lot = slots["status"], slots["serialNumber"], slots["lotNumber"]
    wanted = ("AVAILABLE", "ON_ORDER") if include_on_order else ("AVAILABLE",)

    def shown(row: Row) -> Any:
        return next((one[serial] or one[lot] for one in fetch(row) if one[status] in wanted), None)

    return lambda rows: [shown(row) for row in rows]
