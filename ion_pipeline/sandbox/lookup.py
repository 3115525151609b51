"""Answers the singular root fields: one row by its key, and the current user."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from ion_pipeline.sandbox.store import Row, Store, Table, whole_number

#: Arguments of singular root fields that are named differently from their columns.
_COLUMNS = {"gateType": "issueApprovalGateType"}


def find_row(table: Table, arguments: Mapping[str, Any]) -> Row:
    """The row with the given id, or with the given combination of ids.

    Raises:
        GraphQLError: There is no such row: the id is wrong, or the row was deleted (ION's 404).
    """
    wanted = {
        _COLUMNS.get(name, name) if name not in table.node.columns else name: value for name, value in arguments.items()
    }
    (first, value), *rest = wanted.items()
    if first == "id":
        known = table.get(whole_number(value))
        rows: Sequence[Row] = [] if known is None else [known]
    else:
        rows = table.index(first).get(whole_number(value), ())
    for row in rows:
        if all(str(row[table.node.slots[name]]) == str(other) for name, other in rest):
            return row
    shown = ", ".join(f"{name} {value}" for name, value in arguments.items())
    raise GraphQLError(f"{table.node.name} with {shown} was not found.")


def current_user(store: Store) -> Row:
    """The user that the API key belongs to: the first active user, or a generated one in a world without users."""
    table = store.tables["User"]
    slots = table.node.slots
    active = next((row for row in table.ordered()[1] if not row[slots["deactivated"]]), None)
    if active is not None:
        return active
    row = [column.default for column in table.node.columns.values()]
    row[slots["id"]], row[slots["name"]], row[slots["email"]] = 1, "Sandbox", "sandbox@sandbox.example"
    row[slots["organizationId"]] = store.organization_id
    return row
