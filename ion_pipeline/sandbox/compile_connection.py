"""Compiles the selection on a connection to a function from a page to its answer.

How rows are answered is `compile`'s: it passes the function in, so that this module does not import it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import FieldNode, GraphQLField, GraphQLObjectType, get_named_type

from ion_pipeline.sandbox.connection import Matches, Page, encode_cursor
from ion_pipeline.sandbox.store import Row

Path = list[str | int]
Render = Callable[[Sequence[Row]], list[Any]]
Part = Callable[[Page, Matches], Any]


@dataclass(frozen=True)
class ConnectionCompiler:
    """Compiles the selections on connections to one node type.

    Attributes:
        subfields: Returns the selected fields of an object type: response key → field nodes.
        rows: Compiles the selection on the node type to a function from rows to their answers.
        slots: Column name → position in a row of the node type.
    """

    subfields: Callable[[GraphQLObjectType, list[FieldNode]], dict[str, list[FieldNode]]]
    rows: Callable[[list[FieldNode], Path], Render]
    slots: Mapping[str, int]

    def answer(self, definition: GraphQLField, fields: list[FieldNode], path: Path) -> Part:
        """Compile `pageInfo`, `edges` and, on part inventories, `aggregates`, if they are selected."""
        kind = _object(definition)
        parts: dict[str, Part] = {}
        for key, nodes in self.subfields(kind, fields).items():
            name = nodes[0].name.value
            if name == "edges":
                parts[key] = self._edges(_object(kind.fields[name]), nodes, [*path, key])
            elif name == "pageInfo":
                parts[key] = self._page_info(_object(kind.fields[name]), nodes)
            elif name == "aggregates":
                parts[key] = self._aggregates(_object(kind.fields[name]), nodes)
            else:
                parts[key] = _constant(kind.name)
        return lambda page, matches: {key: part(page, matches) for key, part in parts.items()}

    def _edges(self, kind: GraphQLObjectType, nodes: list[FieldNode], path: Path) -> Part:
        columns: dict[str, Callable[[Page], Sequence[Any]]] = {}
        for key, fields in self.subfields(kind, nodes).items():
            name = fields[0].name.value
            if name == "node":
                columns[key] = self._nodes(fields, [*path, key])
            elif name == "cursor":
                columns[key] = _cursors
            else:
                columns[key] = _typenames(kind.name)
        keys = list(columns)
        return lambda page, _matches: [
            dict(zip(keys, values, strict=True))
            for values in zip(*(column(page) for column in columns.values()), strict=True)
        ]

    def _nodes(self, fields: list[FieldNode], path: Path) -> Callable[[Page], Sequence[Any]]:
        render = self.rows(fields, path)
        return lambda page: render(page.rows)

    def _page_info(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
        wanted = {key: fields[0].name.value for key, fields in self.subfields(kind, nodes).items()}

        def answer(page: Page, matches: Matches) -> dict[str, Any]:
            del matches
            info = page.info() | {"__typename": kind.name}
            return {key: info[name] for key, name in wanted.items()}

        return answer

    def _aggregates(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
        """Aggregates over all matches, not over the page; a sum without values is null, as in SQL."""
        parts: dict[str, Part] = {}
        for key, fields in self.subfields(kind, nodes).items():
            name = fields[0].name.value
            if name == "sum":
                sums = _object(kind.fields[name])
                wanted = {one: inner[0].name.value for one, inner in self.subfields(sums, fields).items()}
                parts[key] = _sums(wanted, self.slots, sums.name)
            else:
                parts[key] = _count if name == "count" else _constant(kind.name)
        return lambda page, matches: {key: part(page, matches) for key, part in parts.items()}


def _object(definition: GraphQLField) -> GraphQLObjectType:
    return cast("GraphQLObjectType", get_named_type(definition.type))


def _constant(value: Any) -> Part:
    return lambda _page, _matches: value


def _cursors(page: Page) -> list[str]:
    return [encode_cursor(page.offset + place) for place in range(len(page.rows))]


def _typenames(name: str) -> Callable[[Page], Sequence[Any]]:
    return lambda page: [name] * len(page.rows)


def _count(page: Page, matches: Matches) -> int:
    del page
    return matches.count


def _sums(wanted: dict[str, str], slots: Mapping[str, int], type_name: str) -> Part:
    def total(name: str, matches: Matches) -> Any:
        if name == "__typename":
            return type_name
        rows, start, stop = matches.ordered
        values = [row[slots[name]] for row in rows[start:stop] if row[slots[name]] is not None]
        return sum(values) if values else None

    return lambda _page, matches: {key: total(name, matches) for key, name in wanted.items()}
