"""GraphQL documents from shapes. Names come from a schema that graphql-core has validated; values are variables."""

from collections.abc import Iterable, Mapping

from graphql import GraphQLField

from ion_pipeline.catalog.shape import NodeShape

_INDENT = "  "


def page_query(
    name: str,
    root_field: str,
    definition: GraphQLField,
    shape: NodeShape,
    *,
    sort: Iterable[str],
    cursors: bool = False,
) -> str:
    """The GraphQL document that reads one page.

    Its variables are `first`, `after` (cursor paging) and `filters` (keyset paging); a request may omit any of them.

    Args:
        name: Name of the operation.
        root_field: The connection's field on `Query`.
        definition: The field in the tenant's schema, for the types of its arguments.
        shape: What to select.
        sort: Members of the connection's sort enum; empty for the server's own order.
        cursors: Whether to select each row's cursor.
    """
    variables = [argument for argument in ("filters", "first", "after") if argument in definition.args]
    selection = [
        "pageInfo { hasNextPage endCursor count totalCount }",
        "edges {",
        *([f"{_INDENT}cursor"] if cursors else []),
        f"{_INDENT}node {{",
        *_indented(_indented(_selection(shape))),
        f"{_INDENT}}}",
        "}",
    ]
    return _document(
        name,
        root_field,
        definition,
        variables=variables,
        selection=selection,
        literals=_sort_literal(definition, sort),
    )


def count_query(name: str, root_field: str, definition: GraphQLField) -> str:
    """The GraphQL document that counts the rows that match `filters`."""
    variables = [argument for argument in ("filters", "first") if argument in definition.args]
    return _document(
        f"{name}_count", root_field, definition, variables=variables, selection=["pageInfo { totalCount }"]
    )


def _document(
    name: str,
    root_field: str,
    definition: GraphQLField,
    *,
    variables: Iterable[str],
    selection: Iterable[str],
    literals: Mapping[str, str] | None = None,
) -> str:
    declared = ", ".join(f"${variable}: {definition.args[variable].type}" for variable in variables)
    given = {**{variable: f"${variable}" for variable in variables}, **(literals or {})}
    arguments = ", ".join(f"{argument}: {value}" for argument, value in given.items())
    lines = [f"{root_field}({arguments}) {{", *_indented(selection), "}"]
    return "\n".join([f"query {name}({declared}) {{", *_indented(lines), "}"]) + "\n"


def _sort_literal(definition: GraphQLField, sort: Iterable[str]) -> dict[str, str]:
    members = ", ".join(sort)
    return {"sort": f"[{members}]"} if members and "sort" in definition.args else {}


def _selection(shape: NodeShape) -> list[str]:
    fields = [field.column.field for field in shape.fields if field.present]
    if shape.needs_id and "id" not in fields:
        fields.append("id")
    lines = list(fields)
    for child in shape.lists:
        inner = _selection(child.node)
        if child.is_connection:
            # Without `first`, a connection holds all rows; what it says of further pages is checked.
            inner = ["pageInfo { hasNextPage }", "edges {", f"{_INDENT}node {{", *_indented(_indented(inner))]
            inner += [f"{_INDENT}}}", "}"]
        lines += [f"{child.field} {{", *_indented(inner), "}"]
    # GraphQL requires at least one field, also for a type of which the tenant lacks every known field.
    return lines or ["__typename"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"{_INDENT}{line}" for line in lines]
