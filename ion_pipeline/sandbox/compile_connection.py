"""The selection on a connection, as a function from a page to its answer."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from graphql import FieldNode, GraphQLField, GraphQLObjectType, get_named_type

from ion_pipeline.sandbox.connection import Matches, Page, encode_cursor

if TYPE_CHECKING:
    from ion_pipeline.sandbox.compile import Compiler, Path

Part = Callable[[Page, Matches], Any]


def connection_answer(
    compiler: "Compiler", definition: GraphQLField, target: str, fields: list[FieldNode], path: "Path"
) -> Part:
    """`pageInfo`, `edges` and, on part inventories, `aggregates`, as far as they are selected."""
    kind = _object(definition)
    parts: dict[str, Part] = {}
    for key, nodes in compiler.subfields(kind, fields).items():
        name = nodes[0].name.value
        if name == "edges":
            parts[key] = _edges(compiler, _object(kind.fields[name]), target, nodes, [*path, key])
        elif name == "pageInfo":
            parts[key] = _page_info(compiler, _object(kind.fields[name]), nodes)
        elif name == "aggregates":
            parts[key] = _aggregates(compiler, _object(kind.fields[name]), target, nodes)
        else:
            parts[key] = _constant(kind.name)
    return lambda page, matches: {key: part(page, matches) for key, part in parts.items()}


def _object(definition: GraphQLField) -> GraphQLObjectType:
    return cast("GraphQLObjectType", get_named_type(definition.type))


def _constant(value: Any) -> Part:
    return lambda _page, _matches: value


def _edges(compiler: "Compiler", kind: GraphQLObjectType, target: str, nodes: list[FieldNode], path: "Path") -> Part:
    columns: dict[str, Callable[[Page], Sequence[Any]]] = {}
    for key, fields in compiler.subfields(kind, nodes).items():
        name = fields[0].name.value
        if name == "node":
            columns[key] = _nodes(compiler, target, fields, [*path, key])
        elif name == "cursor":
            columns[key] = _cursors
        else:
            columns[key] = _typenames(kind.name)
    keys = list(columns)
    return lambda page, _matches: [
        dict(zip(keys, values, strict=True)) for values in zip(*(one(page) for one in columns.values()), strict=True)
    ]


def _nodes(compiler: "Compiler", target: str, fields: list[FieldNode], path: "Path") -> Callable[[Page], Sequence[Any]]:
    render = compiler.rows(target, fields, path)
    return lambda page: render(page.rows)


def _cursors(page: Page) -> list[str]:
    return [encode_cursor(page.offset + place) for place in range(len(page.rows))]


def _typenames(name: str) -> Callable[[Page], Sequence[Any]]:
    return lambda page: [name] * len(page.rows)


def _page_info(compiler: "Compiler", kind: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
    wanted = {key: fields[0].name.value for key, fields in compiler.subfields(kind, nodes).items()}

    def answer(page: Page, matches: Matches) -> dict[str, Any]:
        del matches
        info = page.info() | {"__typename": kind.name}
        return {key: info[name] for key, name in wanted.items()}

    return answer


def _aggregates(compiler: "Compiler", kind: GraphQLObjectType, target: str, nodes: list[FieldNode]) -> Part:
    """Over all matches, not over the page; a sum over no value is null, as in SQL."""
    slots = compiler.relations.store.model.types[target].slots
    parts: dict[str, Part] = {}
    for key, fields in compiler.subfields(kind, nodes).items():
        name = fields[0].name.value
        if name == "sum":
            sums = _object(kind.fields[name])
            wanted = {one: inner[0].name.value for one, inner in compiler.subfields(sums, fields).items()}
            parts[key] = _sums(wanted, slots, sums.name)
        else:
            parts[key] = _count if name == "count" else _constant(kind.name)
    return lambda page, matches: {key: part(page, matches) for key, part in parts.items()}


def _count(page: Page, matches: Matches) -> int:
    del page
    return matches.count


def _sums(wanted: dict[str, str], slots: dict[str, int], type_name: str) -> Part:
    def total(name: str, matches: Matches) -> Any:
        if name == "__typename":
            return type_name
        rows, start, stop = matches.ordered
        values = [row[slots[name]] for row in rows[start:stop] if row[slots[name]] is not None]
        return sum(values) if values else None

    return lambda _page, matches: {key: total(name, matches) for key, name in wanted.items()}
