"""Further actions (CAPA) under fixed names: views on the adopted tables that hold them, which the models read.

ION's manual names neither the root connection of further actions nor its fields and lists, so the tables have the
tenant's names. The views have the names of the manual's own words; a column that the tenant lacks is null, and without
further actions the views have no rows.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from ion_pipeline.catalog.catalog import Table
from ion_pipeline.warehouse.export_control import is_controlled
from ion_pipeline.warehouse.sql import identifier

#: The views: one row per further action; one row per further action and issue.
ACTIONS, LINKS = "_ion_further_actions", "_ion_further_action_issues"
# The words of ION's manual, and the type of the column.
_SAID = {
    "title": "varchar",
    "status": "varchar",
    "problem_statement": "varchar",
    "analysis_notes": "varchar",
    "resolution": "varchar",
    "assigned_to_id": "bigint",
    "created_by_id": "bigint",
}
_STAMPS = {"created_at": "_created", "updated_at": "_updated"}


@dataclass(frozen=True, slots=True)
class FurtherActions:
    """The tables of `raw` that hold further actions.

    Attributes:
        actions: The table of the actions.
        links: The table that links them to issues.
        action_column: Its column with the id of an action.
        issue_column: Its column with the id of an issue.
        controlled: Those of the two tables that may hold controlled rows.
    """

    actions: Table
    links: Table
    action_column: str
    issue_column: str
    controlled: frozenset[str]


def define(connection: duckdb.DuckDBPyConnection, found: FurtherActions | None, schema: str) -> None:
    """Create the two views in a schema that has all tables of `raw`, or views on them.

    Args:
        connection: The warehouse, open for writing.
        found: The tables; None if the tenant has no further actions.
        schema: The schema that the models read.
    """
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables "
            "where table_catalog = current_database() and table_schema = ?",
            [schema],
        ).fetchall()
    }
    if found is not None and not {found.actions.name, found.links.name} <= there:
        found = None  # Adopted, and not read yet.
    for name, query in {ACTIONS: _actions(found, schema), LINKS: _links(found, schema)}.items():
        connection.execute(f"create or replace view {identifier(schema, name)} as {query}")


def named_columns(table: Table) -> dict[str, str]:
    """The columns of a table by the words of ION's manual: of the same name, else the first that ends with the word."""
    names = [column.name for column in table.columns]
    found = {word: next((n for n in (word, *names) if n in names and _ends(n, word)), "") for word in _SAID}
    return {word: name for word, name in found.items() if name}


def _ends(name: str, word: str) -> bool:
    return name == word or name.endswith(f"_{word}")


def _actions(found: FurtherActions | None, schema: str) -> str:
    types = {"further_action_id": "bigint", **_SAID, **dict.fromkeys(_STAMPS, "timestamptz")}
    if found is None:
        return _nothing({**types, "is_export_controlled": "boolean"})
    columns = {column.name for column in found.actions.columns}
    stamps = {word: name for word, name in _STAMPS.items() if name in columns}
    named = {"further_action_id": "id", **named_columns(found.actions), **stamps}
    selected = [
        f"try_cast(rows.{identifier(named[word])} as {kind}) as {word}"
        if word in named
        else f"cast(null as {kind}) as {word}"
        for word, kind in types.items()
    ]
    return _query(found, found.actions, selected, schema)


def _links(found: FurtherActions | None, schema: str) -> str:
    if found is None:
        return _nothing(
            dict.fromkeys(("further_action_id", "issue_id"), "bigint") | {"is_export_controlled": "boolean"}
        )
    selected = [
        f"try_cast(rows.{identifier(found.action_column)} as bigint) as further_action_id",
        f"try_cast(rows.{identifier(found.issue_column)} as bigint) as issue_id",
    ]
    return _query(found, found.links, selected, schema)


def _query(found: FurtherActions, table: Table, selected: list[str], schema: str) -> str:
    flag = is_controlled(table) if table.name in found.controlled else "false"
    return f"select {', '.join(selected)}, {flag} as is_export_controlled from {identifier(schema, table.name)} as rows"


def _nothing(types: Mapping[str, str]) -> str:
    return f"select {', '.join(f'cast(null as {kind}) as {word}' for word, kind in types.items())} where false"
