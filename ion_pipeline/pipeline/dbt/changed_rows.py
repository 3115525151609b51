"""Finds the rows of upstream tables that differ from those of the last build.

Such rows are known of a staging view, from the row versions of the loads since, and of a table that had the rows of the
last build before it was built now.
"""
# ruff: noqa: S608 -- names are quoted by `identifier`, values are bound as parameters

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.pipeline.dbt.pending import Source
from ion_pipeline.pipeline.dbt.rendered import Node
from ion_pipeline.pipeline.dbt.report import ChangedCount
from ion_pipeline.pipeline.dbt.row_rules import RowRule
from ion_pipeline.warehouse import Fingerprint
from ion_pipeline.warehouse.schemas import HISTORY
from ion_pipeline.warehouse.sql import identifier, identifiers

_DATABASE = "ion_scratch"


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table after a build.

    Attributes:
        fingerprint: Of the rows.
        changed: How they differ from those before; None if they were not counted.
    """

    fingerprint: Fingerprint
    changed: ChangedCount | None


@dataclass(frozen=True, slots=True)
class Since:
    """What is new since the last build.

    Attributes:
        load_id: The last load that it covers.
        valid_from: Start of the versions of the first load after it.
        sources: The changed sources of each node that reads some; None for a node with a source whose rows changed
            without a load, such as the rows under export control.
        due: Unique ids of the models and tests to execute over all rows, because they have not been for long.
    """

    load_id: str
    valid_from: datetime
    sources: Mapping[str, tuple[Source, ...] | None]
    due: Collection[str] = ()


class Scratch:
    """A database in memory for the tables of a build that nobody else sees."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection, self._is_attached = connection, False

    def kept(self, name: str) -> str:
        """The quoted name of a table or view that stays to the end of the build."""
        self._attach()
        return identifier(_DATABASE, "kept", name)

    def working(self, name: str) -> str:
        """The quoted name of a table or view of one node, see `node`."""
        return identifier(_DATABASE, "working", name)

    @contextmanager
    def node(self) -> Iterator[None]:
        """At its end, drop the tables and views of one node."""
        self._attach()
        try:
            yield
        finally:
            self._connection.execute(f"drop schema {_DATABASE}.working cascade; create schema {_DATABASE}.working")

    def _attach(self) -> None:
        if not self._is_attached:
            self._connection.execute(
                f"attach ':memory:' as {_DATABASE}; create schema {_DATABASE}.kept; create schema {_DATABASE}.working"
            )
            self._is_attached = True


class ChangedRows:
    """The rows of upstream tables that differ from the last build."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        nodes: Mapping[str, Node],
        since: Since | None,
        has_changed: Callable[[str], bool],
        scratch: Scratch,
        *,
        named: Collection[str],
    ) -> None:
        """Begin without a changed row.

        Args:
            connection: The warehouse.
            nodes: The nodes by unique id.
            since: What is new since the last build; None if that is not known row by row.
            has_changed: Whether an upstream node has other rows than in the last build.
            scratch: For row versions.
            named: The names of the tables of which a rule says what changed rows affect.
        """
        self._connection, self._nodes, self._since = connection, nodes, since
        self._has_changed, self._scratch = has_changed, scratch
        [(self._database,)] = connection.execute("select current_database()").fetchall()
        self._found: dict[str, str | None] = {}
        self._named = named

    def relation(self, node: Node) -> str:
        """The quoted name of a model or seed, as in dbt's statements."""
        return identifier(self._database, node.schema, node.name)

    def are_asked_of(self, node: Node) -> bool:
        """Whether a rule says what changed rows of this model affect."""
        return node.name in self._named

    def compare(self, node: Node, earlier: str, later: str) -> int:
        """Compare the rows of a table with those of the last build, and note which differ; return how many do.

        Args:
            node: The model.
            earlier: The quoted name of a table with its rows, or some of them, in the last build.
            later: The same now.
        """
        changed = identifier("temp", "main", f"changed_{node.name}")
        # A temporary table may be written in a transaction that writes to the warehouse, a scratch table may not.
        self._connection.execute(
            f"create or replace temp table {identifier(f'changed_{node.name}')} as "
            f"(select * from {earlier} except all select * from {later}) "
            f"union all (select * from {later} except all select * from {earlier})"
        )
        self._found[node.unique_id] = changed
        [(count,)] = self._connection.execute(f"select count(*) from {changed}").fetchall()
        return int(count)

    def of_inputs(self, node: Node, rule: RowRule) -> dict[str, str] | None:
        """The tables with the changed rows of each changed upstream table, before and after.

        Args:
            node: The model or test.
            rule: Its rule.

        Returns:
            Quoted names by the names of the upstream tables; None if not all are known, or if the rule lacks one.
        """
        found: dict[str, str] = {}
        waiting = [node]
        while waiting:
            reader = waiting.pop()
            if self._since is None or reader.unique_id in self._since.sources:
                return None  # It reads `raw` itself.
            for unique_id in reader.parents:
                parent = self._nodes[unique_id]
                if not self._has_changed(unique_id):
                    continue
                if parent.is_view and not is_staging(parent):
                    waiting.append(parent)
                    continue
                rows = self._of(parent) if rule.names(parent.name) else None
                if rows is None:
                    return None
                found[parent.name] = rows
        return found

    def _of(self, node: Node) -> str | None:
        if node.unique_id not in self._found and is_staging(node):
            self._found[node.unique_id] = self._staged(node)
        return self._found.get(node.unique_id)

    def _staged(self, node: Node) -> str | None:
        """Apply a staging view to the row versions that began or ended since the last build."""
        since = self._since
        match since.sources.get(node.unique_id) if since else None:
            case (source,) if since and source.relation in node.sql:
                pass
            case _:
                return None
        versions, view = self._scratch.kept(f"versions_{node.name}"), self._scratch.kept(f"changed_{node.name}")
        columns = "*"
        if not source.is_history:
            described = self._connection.execute(f"describe select * from {source.relation}").fetchall()
            columns = identifiers(column[0] for column in described)
        self._connection.execute(
            f"create table {versions} as select {columns} from {identifier(HISTORY, source.table)} "
            "where _ion_load > $load_id or valid_to >= $valid_from",
            {"load_id": since.load_id, "valid_from": since.valid_from},
        )
        self._connection.execute(node.sql.replace(source.relation, versions).replace(self.relation(node), view))
        return view


def count_changed(connection: duckdb.DuckDBPyConnection, earlier: str, later: str) -> ChangedCount:
    """Count how the rows of a table differ, by their hashes: a quarter of the time of comparing the rows.

    Args:
        connection: The warehouse.
        earlier: The quoted name of a table with the rows before.
        later: The same of the rows now.
    """
    [(added, removed)] = connection.execute(
        "select coalesce(sum(greatest(more, 0)), 0), coalesce(sum(greatest(-more, 0)), 0) from ("
        "select sum(side) as more from ("
        f"select hash(t) as row_hash, 1 as side from {later} as t "
        f"union all select hash(t) as row_hash, -1 as side from {earlier} as t) group by row_hash having more <> 0)"
    ).fetchall()
    return ChangedCount(int(added), int(removed))


def is_staging(node: Node) -> bool:
    """Whether a node is a view that reads nothing but sources."""
    return node.is_view and not node.parents
