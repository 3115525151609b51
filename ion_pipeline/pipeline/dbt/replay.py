"""Executes rendered statements in dependency order, in one connection, with dbt's rules for failed tests.

A node whose inputs have the rows of the last complete build is not executed again: most changes in ION change few
tables, and a model that is built from unchanged rows has unchanged rows.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from types import MappingProxyType

import duckdb
import pyarrow.parquet as pq

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.pipeline.dbt.affected_rows import AffectedRows, Limits
from ion_pipeline.pipeline.dbt.changed_rows import Since, TableRows, count_changed
from ion_pipeline.pipeline.dbt.node_count import NodeCount
from ion_pipeline.pipeline.dbt.rendered import Node, Rendered
from ion_pipeline.pipeline.dbt.report import FAILED, BuildReport, ChangedCount, NodeResult
from ion_pipeline.warehouse import BuiltNode, Fingerprint, fingerprint
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier

_STOPS = FAILED | {"skipped"}
_NO_RESULT = BuiltNode("")
# The changed rows of a larger table that is built from all rows are not counted, which takes longer than to copy it.
_MOST_COUNTED = 1_000_000


@dataclass(frozen=True, slots=True)
class LastBuild:
    """What is known of the last complete build.

    Attributes:
        nodes: The results of its nodes, by dbt's unique id.
        downstream: The nodes, views included, that are downstream of a table of `raw` that changed since.
        readers: Those of them that read such a table themselves.
        since: What is new since; None if that is not known row by row.
    """

    nodes: Mapping[str, BuiltNode]
    downstream: Collection[str]
    readers: Collection[str]
    since: Since | None = None


def replay(
    connection: duckdb.DuckDBPyConnection,
    rendered: Rendered,
    names: Collection[str] | None = None,
    *,
    last: LastBuild | None = None,
    on_line: Callable[[str], None] | None = None,
    on_count: OnCount = unheard,
    seconds: Mapping[str, float] = MappingProxyType({}),
) -> BuildReport:
    """Build and test nodes as `dbt build` does.

    If a node or a blocking test fails, the nodes downstream of it are skipped and all others are built. Nodes that are
    up to date are not part of the report.

    Args:
        connection: The warehouse.
        rendered: The statements that dbt rendered.
        names: Names of the models to build and the tests to run; None for everything, seeds included.
        last: The last complete build; without it, every chosen node is executed.
        on_line: Called with a line of output after each node.
        on_count: Called when a node begins or ends.
        seconds: What nodes took before, by unique id.
    """
    chosen = {unique_id: node for unique_id, node in rendered.nodes.items() if names is None or node.name in names}
    count = NodeCount(on_count, {unique_id: seconds[unique_id] for unique_id in chosen if unique_id in seconds})
    began = time.monotonic()
    stopped: set[str] = set()
    results: list[NodeResult] = []
    warehouse = _Warehouse(connection, rendered)
    changes = _Changes(warehouse, rendered.nodes, last)
    affected = AffectedRows(connection, rendered.nodes, last.since if last else None, changes.has_changed, Limits())
    for number, (unique_id, waits_for) in enumerate(_in_order(rendered.nodes, chosen), start=1):
        count.started(unique_id, len(chosen))
        node, started = chosen[unique_id], time.monotonic()
        found, message, rows = "up to date", "", None
        if not stopped.isdisjoint(waits_for):
            found = "skipped"
        elif not changes.is_up_to_date(node):
            found, message, rows = warehouse.execute(
                node, affected, changes.last_result(node, affected), changes.recorded(node).fingerprint
            )
            changes.add(node, rows.fingerprint if rows else None)
        if found in _STOPS:
            stopped.add(unique_id)
        if found != "up to date":
            took = time.monotonic() - started
            built_at = None if unique_id in affected.limited else datetime.now(UTC)
            result = NodeResult(unique_id, found, message, took, built_at=built_at)
            results.append(_with_rows(result, rows) if rows else result)
        count.finished(unique_id, len(chosen), executed=found not in {"up to date", "skipped"})
        if on_line:
            on_line(f"{number} of {len(chosen)} {found} {unique_id} {' '.join(message.split())}".rstrip())
    return BuildReport(tuple(results), time.monotonic() - began)


def _with_rows(result: NodeResult, rows: TableRows) -> NodeResult:
    return replace(result, fingerprint=rows.fingerprint, rows=rows.fingerprint.rows, changed=rows.changed)


def _in_order(nodes: Mapping[str, Node], chosen: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    """The chosen nodes in dependency order, each with the chosen nodes that it waits for.

    A node waits for its upstream nodes and, as in dbt, for each test that reads only nodes upstream of it.
    """
    upstream: dict[str, set[str]] = {}
    for unique_id in TopologicalSorter({name: node.parents for name, node in nodes.items()}).static_order():
        parents = nodes[unique_id].parents
        upstream[unique_id] = set(parents).union(*(upstream[parent] for parent in parents))
    tests = [name for name in chosen if nodes[name].kind == "test"]
    waits_for = {
        name: {one for one in upstream[name] if one in chosen}
        | {
            test
            for test in tests
            if nodes[name].kind != "test" and nodes[test].parents and upstream[name].issuperset(nodes[test].parents)
        }
        for name in chosen
    }
    for unique_id in TopologicalSorter(waits_for).static_order():
        yield unique_id, waits_for[unique_id]


class _Changes:
    """Which nodes have other rows than in the last complete build."""

    def __init__(self, warehouse: "_Warehouse", nodes: Mapping[str, Node], last: LastBuild | None) -> None:
        self._warehouse, self._nodes, self._last = warehouse, nodes, last
        self._differs = {name: False for name in nodes if last and name not in last.downstream}

    def is_up_to_date(self, node: Node) -> bool:
        """Whether executing a node would change nothing: its inputs and its own rows are those of the last build.

        A test is up to date only if it passed, so that what it warns of is repeated.
        """
        if self._last is None or self._inputs_differ(node):
            return False
        before = self.recorded(node)
        if node.kind == "test":
            return before.status == "pass"
        # The rows are compared too: a build that failed, or was started by hand, may have replaced them.
        return before.fingerprint is not None and self._warehouse.fingerprint(node) == before.fingerprint

    def recorded(self, node: Node) -> BuiltNode:
        """The result of a node in the last build."""
        return self._last.nodes.get(node.unique_id, _NO_RESULT) if self._last else _NO_RESULT

    def last_result(self, node: Node, affected: AffectedRows) -> BuiltNode:
        """As `recorded`; with a fingerprint only if that is needed and the rows of the node are still the same."""
        before = self.recorded(node)
        is_needed = affected.has_rule(node) or affected.changed.are_asked_of(node)
        if before.fingerprint and not (is_needed and self._warehouse.fingerprint(node) == before.fingerprint):
            return BuiltNode(before.status)
        return before

    def add(self, node: Node, rows: Fingerprint | None) -> None:
        """Note the rows of a node that was executed."""
        before = self.recorded(node)
        self._differs[node.unique_id] = rows is None or rows != before.fingerprint

    def _inputs_differ(self, node: Node) -> bool:
        is_reader = self._last is not None and node.unique_id in self._last.readers
        return is_reader or any(self.has_changed(parent) for parent in node.parents)

    def has_changed(self, unique_id: str) -> bool:
        """Whether a node that others read differs: a view differs if one of its inputs does."""
        if unique_id not in self._differs:
            self._differs[unique_id] = self._inputs_differ(self._nodes[unique_id])
        return self._differs[unique_id]


class _Warehouse:
    """Executes nodes in the warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, rendered: Rendered) -> None:
        self._connection = connection
        self._seeds = rendered.seeds
        found = connection.execute(
            "select schema_name, table_name, 'table' from duckdb_tables() where database_name = current_database() "
            "union all "
            "select schema_name, view_name, 'view' from duckdb_views() where database_name = current_database()"
        ).fetchall()
        self._kinds = {(schema, name): kind for schema, name, kind in found}
        for schema in {node.schema for node in rendered.nodes.values() if node.schema}:
            connection.execute(f'create schema if not exists "{schema}"')

    def execute(
        self, node: Node, affected: AffectedRows, last: BuiltNode, recorded: Fingerprint | None
    ) -> tuple[str, str, TableRows | None]:
        """Execute one node; return its status, its message and what is known of its rows.

        A statement that fails gives the status `error`.

        Args:
            node: The node.
            affected: Executes it over the affected rows, if there is a rule for that.
            last: Its result in the last build; with a fingerprint if its rows are still the same.
            recorded: The fingerprint of its rows in the last build.
        """
        try:
            if node.kind == "test":
                if last.status == "pass" and affected.passes(node, self._passes):
                    return "pass", "", None
                return *self._run_test(node), None
            rows = affected.replace(node, last.fingerprint) if last.fingerprint else None
            if rows is None:
                with transaction(self._connection):
                    rows = self._build(node, affected, last.fingerprint, recorded)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            return "error", str(error), None
        self._kinds[node.schema, node.name] = "view" if node.is_view else "table"
        return "success", "OK", rows

    def _build(
        self, node: Node, affected: AffectedRows, before: Fingerprint | None, recorded: Fingerprint | None
    ) -> TableRows | None:
        """Build a model from all rows, or load a seed; return what is known of its rows, None of a view."""
        name, earlier = identifier(node.schema, node.name), f"{node.name}__earlier"
        kind = self._kinds.get((node.schema, node.name))
        if kind == "table":
            self._connection.execute(f"alter table {name} rename to {identifier(earlier)}")
        elif kind:
            self._connection.execute(f"drop {kind} {name}")
        if node.kind == "seed":
            self._load(node)
        else:
            self._connection.execute(node.sql)
        rows = None if node.is_view else fingerprint(self._connection, node.schema, node.name)
        changed = ChangedCount(rows.rows, 0) if rows else None
        if kind == "table":
            kept = identifier(node.schema, earlier)
            if rows and rows == recorded:
                changed = ChangedCount(0, 0)
            elif rows and before and affected.changed.are_asked_of(node):
                differ = affected.changed.compare(node, kept, name)
                changed = ChangedCount.of(differ, rows.rows - before.rows)
            elif rows:
                is_cheap = rows.rows <= _MOST_COUNTED
                changed = count_changed(self._connection, kept, name) if is_cheap else None
            self._connection.execute(f"drop table {kept}")
        return TableRows(rows, changed) if rows else None

    def fingerprint(self, node: Node) -> Fingerprint | None:
        """The fingerprint of a table that a node has built; None if it is no table."""
        name = (node.schema, node.name)
        return fingerprint(self._connection, *name) if self._kinds.get(name) == "table" else None

    def _load(self, node: Node) -> None:
        rows = self._connection.from_arrow(pq.read_table(self._seeds / f"{node.name}.parquet"))
        rows.create(f'"{node.schema}"."{node.name}"')

    def _passes(self, sql: str) -> bool:
        """Whether the statement of a test finds no row at all."""
        [(failures, should_warn, should_error)] = self._connection.execute(sql).fetchall()
        return not failures and not should_warn and not should_error

    def _run_test(self, node: Node) -> tuple[str, str]:
        [(failures, should_warn, should_error)] = self._connection.execute(node.sql).fetchall()
        found = f"Got {failures} result{'' if failures == 1 else 's'}, configured to"
        if node.blocking and should_error:
            return "fail", f"{found} fail if {node.error_if}"
        if should_warn:
            return "warn", f"{found} warn if {node.warn_if}"
        return "pass", ""
