"""Finds the tables of further actions (CAPA): the setting names the adopted table that links them to issues.

Nothing about a tenant's further actions is assumed: the setting is checked against the adopted definitions, from which
follows which of the table's columns names an issue and which an action.
"""

from collections.abc import Iterator

import duckdb

from ion_pipeline.catalog import known_catalog
from ion_pipeline.errors import SettingsError
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.export_control import data_references, source_schemas
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import further_actions, load_log
from ion_pipeline.warehouse.further_actions import FurtherActions

_ISSUES = "issues"


def further_actions_of(settings: Settings) -> FurtherActions | None:
    """The tables of further actions; None if `further_actions` is not set.

    Raises:
        SettingsError: The setting does not name an adopted table that links an adopted entity to issues.
    """
    name = settings.further_actions
    if not name:
        return None
    links = {found.links.name: found for found in _links(settings)}
    if name not in links:
        there = f"These tables link an adopted entity to issues: {', '.join(links)}." if links else "There is none yet."
        raise SettingsError(
            f"ION_FURTHER_ACTIONS is {name}, which is no adopted table that links further actions to issues.",
            remedy=f"Adopt further actions first (`refresh --adopt`), then name the table of their issues. {there}",
        )
    return links[name]


def prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create the views that the models read, before dbt runs."""
    if load_log.exists(connection):
        further_actions.define(connection, further_actions_of(settings), _schema(settings))


def changed_sources(settings: Settings, changed: frozenset[str]) -> frozenset[str]:
    """The views that changed because a table that they read did."""
    found = further_actions_of(settings)
    if found is None:
        return frozenset()
    views = {further_actions.ACTIONS: found.actions.name, further_actions.LINKS: found.links.name}
    return frozenset(f"{_schema(settings)}.{view}" for view, table in views.items() if table in changed)


def _schema(settings: Settings) -> str:
    return source_schemas(settings)["ION_SOURCE_SCHEMA"]


def _links(settings: Settings) -> Iterator[FurtherActions]:
    """Each table that names rows of one adopted entity and issues, and nothing else by the same right."""
    catalog, found = data_catalog(settings.data_dir), data_references(settings)
    adopted = catalog.entities.keys() - known_catalog().entities.keys()
    for table in catalog.tables.values():
        named = {column: found.keys.get((table.name, column)) for column in table.key}
        issues = [column for column, target in named.items() if target == _ISSUES]
        actions = [(column, target) for column, target in named.items() if target in adopted]
        if len(issues) == len(actions) == 1:
            [(column, target)] = actions
            controlled = frozenset({target, table.name}) & found.tables if target else frozenset()
            yield FurtherActions(catalog.tables[str(target)], table, column, issues[0], controlled)
