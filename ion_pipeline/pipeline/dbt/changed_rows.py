"""Brings tables up to date by their affected rows, with the statements that dbt rendered.

A model with a rule (`row_rules`) is not built from all rows if few of them are affected. Its affected keys are found
from the changed rows of its upstream tables. Then its statement is executed with each upstream table limited to those
keys, and the result replaces the rows with those keys. The SQL of the model is the same: only names of tables in it are
replaced by names of tables in a scratch database in memory.

Changed rows are known of a staging view, from the row versions of the loads since the last build, and of a table that
had the rows of the last build before it was built now. Otherwise the model is built from all rows.
"""
# ruff: noqa: S608 -- names are quoted by `identifier`, values are bound as parameters

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.pipeline.dbt.pending import Source
from ion_pipeline.pipeline.dbt.rendered import Node
from ion_pipeline.pipeline.dbt.row_rules import RowRule
from ion_pipeline.warehouse import Fingerprint, fingerprint
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.schemas import HISTORY
from ion_pipeline.warehouse.sql import identifier, identifiers

_SCRATCH = "ion_scratch"


@dataclass(frozen=True, slots=True)
class Since:
    """What is new since the last build.

    Attributes:
        load_id: The last load that it covers.
        valid_from: Start of the versions of the first load after it.
        sources: The changed sources of each view that reads some; None for a view with a source whose rows changed
            without a load, such as the rows under export control.
        due: Unique ids of the models to build from all rows, because they have not been for long.
    """

    load_id: str
    valid_from: datetime
    sources: Mapping[str, tuple[Source, ...] | None]
    due: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """When few enough rows are affected.

    Attributes:
        least_rows: A smaller table is built from all rows, which takes less than finding the affected ones.
        largest_share: A table of which more rows are affected is built from all rows.
    """

    least_rows: int = 20_000
    largest_share: float = 0.1


class ChangedRows:
    """The rows that differ from the last build, and the replacement of affected rows.

    Attributes:
        replaced: Unique ids of the models that were not built from all rows.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        nodes: Mapping[str, Node],
        since: Since | None,
        has_changed: Callable[[str], bool],
        limits: Limits,
    ) -> None:
        """Find what is named in rules.

        Args:
            connection: The warehouse.
            nodes: The nodes by unique id.
            since: What is new since the last build; None if that is not known, and every model is built from all rows.
            has_changed: Whether an upstream node has other rows than in the last build.
            limits: When few enough rows are affected.
        """
        self._connection, self._nodes, self._since = connection, nodes, since
        self._has_changed, self._limits = has_changed, limits
        self._ids = {node.name: unique_id for unique_id, node in nodes.items() if node.kind != "test"}
        self._changed: dict[str, str | None] = {}
        self.replaced: set[str] = set()
        self._is_attached = False
        [(self._database,)] = connection.execute("select current_database()").fetchall()
        rules = [node.rule for node in nodes.values() if node.rule] if since else []
        self._compared = {self._ids[name] for rule in rules for name in (*rule.columns, *rule.lookups)}

    def are_compared(self, node: Node) -> bool:
        """Whether some model is brought up to date by the changed rows of this one."""
        return node.unique_id in self._compared

    def compare(self, node: Node, earlier: str) -> None:
        """Note which rows of a table differ from those of the last build.

        Args:
            node: A model that was built from all rows.
            earlier: The quoted name of a table with the rows of the last build.
        """
        self._note_changed(node, earlier, self._relation(node))

    def replace(self, node: Node, before: Fingerprint) -> Fingerprint | None:
        """Replace the affected rows of a model that has the rows of the last build.

        Returns:
            The fingerprint of its rows now; None if the model must be built from all rows.

        Raises:
            duckdb.Error: A statement failed; the model is unchanged.
        """
        rule = node.rule
        if not rule or not self._since or node.unique_id in self._since.due or before.rows < self._limits.least_rows:
            return None
        changed = self._changed_inputs(node, rule)
        if changed is None:
            return None
        self._attach()
        try:
            rows = self._replace(node, rule, changed, before)
        finally:
            self._drop_scratch()
        if rows is not None:
            self.replaced.add(node.unique_id)
        return rows

    def _replace(
        self, node: Node, rule: RowRule, changed: Mapping[str, str], before: Fingerprint
    ) -> Fingerprint | None:
        keys, table, earlier = self._scratch("keys"), self._relation(node), self._scratch("earlier")
        self._connection.execute(f"create table {keys} as {self._affected_keys(rule, changed)}")
        [(count, nulls)] = self._connection.execute(
            f"select count(*), count(*) filter (key is null) from {keys}"
        ).fetchall()
        if not count:
            return before
        is_affected = _is_among(keys, [rule.rows_by], with_null=nulls > 0)
        [(rows,)] = self._connection.execute(f"select count(*) from {table} where {is_affected}").fetchall()
        if max(rows, count) > self._limits.largest_share * before.rows:
            return None
        self._connection.execute(f"create table {earlier} as select * from {table} where {is_affected}")
        fresh = self._execute_limited(node, rule, keys, with_null=nulls > 0)
        self._connection.execute(f"delete from {fresh} where not coalesce({is_affected}, false)")
        if not self._note_changed(node, earlier, fresh):
            return before
        with transaction(self._connection):
            self._connection.execute(f"delete from {table} where {is_affected}")
            self._connection.execute(f"insert into {table} select * from {fresh}")
        gone, new = (fingerprint(self._connection, _SCRATCH, "working", name) for name in ("earlier", "fresh"))
        return Fingerprint(before.rows - gone.rows + new.rows, before.hash_sum - gone.hash_sum + new.hash_sum)

    def _affected_keys(self, rule: RowRule, changed: Mapping[str, str]) -> str:
        """SQL of the distinct keys of the rows that the changed rows affect."""
        found = [
            f"select {identifier(column)} as key from {changed[name]}"
            for name, columns in rule.columns.items()
            if name in changed
            for column in columns
        ] + [
            f"select {identifier(rule.rows_by)} as key from {self._relation(self._nodes[self._ids[lookup.table]])} "
            f"where {identifier(lookup.table_column)} in (select {identifier(lookup.column)} from {changed[name]})"
            for name, lookups in rule.lookups.items()
            if name in changed
            for lookup in lookups
        ]
        return f"select distinct key from ({' union all '.join(found)})"

    def _execute_limited(self, node: Node, rule: RowRule, keys: str, *, with_null: bool) -> str:
        """Execute the statement of a model over the rows of these keys; return the name of the resulting table."""
        fresh, names = self._scratch("fresh"), dict[str, str]()
        for name, columns in rule.columns.items():
            self._limit(names, name, _is_among(keys, columns, with_null=with_null))
        for name in rule.limited_by_lookups():
            places = (
                f"{identifier(one.column)} in (select {identifier(one.table_column)} "
                f"from {names[self._relation(self._nodes[self._ids[one.table]])]})"
                for one in rule.lookups[name]
            )
            self._limit(names, name, " or ".join(places))
        for number, view in enumerate(self._views_between(node, rule)):
            limited = self._scratch(f"view_{number}")
            self._connection.execute(_renamed(view.sql, {**names, self._relation(view): limited}))
            names[self._relation(view)] = limited
        self._connection.execute(_renamed(node.sql, {**names, self._relation(node): fresh}))
        return fresh

    def _limit(self, names: dict[str, str], name: str, condition: str) -> None:
        """Create a table with some of the rows of an upstream table, and note the names of both."""
        source, limited = self._relation(self._nodes[self._ids[name]]), self._scratch(f"limited_{len(names)}")
        self._connection.execute(f"create table {limited} as select * from {source} where {condition}")
        names[source] = limited

    def _views_between(self, node: Node, rule: RowRule) -> Iterator[Node]:
        """The views through which a model reads what its rule limits, each after those that it reads."""
        limited = {self._ids[name] for name in (*rule.columns, *rule.limited_by_lookups())}
        found: dict[str, bool] = {}

        def visit(unique_id: str) -> Iterator[Node]:
            parent = self._nodes[unique_id]
            found[unique_id] = unique_id in limited
            if not found[unique_id] and parent.is_view:
                for above in parent.parents:
                    if above not in found:
                        yield from visit(above)
                    found[unique_id] |= found[above]
                if found[unique_id]:
                    yield parent

        for unique_id in node.parents:
            if unique_id not in found:
                yield from visit(unique_id)

    def _changed_inputs(self, node: Node, rule: RowRule) -> dict[str, str] | None:
        """The changed rows of each changed upstream table; None if not all are known, or the rule lacks a table."""
        found: dict[str, str] = {}
        waiting = [node]
        while waiting:
            reader = waiting.pop()
            if reader.unique_id in self._sources and not _is_staging(reader):
                return None  # It reads `raw` itself.
            for unique_id in reader.parents:
                parent = self._nodes[unique_id]
                if not self._has_changed(unique_id):
                    continue
                if parent.is_view and not _is_staging(parent):
                    waiting.append(parent)
                    continue
                rows = self._changed_rows(parent) if rule.covers([parent.name]) else None
                if rows is None:
                    return None
                found[parent.name] = rows
        return found

    @property
    def _sources(self) -> Mapping[str, tuple[Source, ...] | None]:
        return self._since.sources if self._since else {}

    def _changed_rows(self, node: Node) -> str | None:
        """The name of the table with the changed rows of a staging view or table, before and after; None if unknown."""
        if node.unique_id not in self._changed and _is_staging(node):
            self._changed[node.unique_id] = self._staged(node)
        return self._changed.get(node.unique_id)

    def _staged(self, node: Node) -> str | None:
        """Apply a staging view to the row versions that began or ended since the last build."""
        match self._sources.get(node.unique_id):
            case (source,) if self._since and source.relation in node.sql:
                pass
            case _:
                return None
        self._attach()
        versions, view = self._kept(f"versions_{node.name}"), self._kept(f"changed_{node.name}")
        columns = "*"
        if not source.is_history:
            described = self._connection.execute(f"describe select * from {source.relation}").fetchall()
            columns = identifiers(column[0] for column in described)
        self._connection.execute(
            f"create table {versions} as select {columns} from {identifier(HISTORY, source.table)} "
            "where _ion_load > $load_id or valid_to >= $valid_from",
            {"load_id": self._since.load_id, "valid_from": self._since.valid_from},
        )
        self._connection.execute(_renamed(node.sql, {source.relation: versions, self._relation(node): view}))
        return view

    def _note_changed(self, node: Node, earlier: str, later: str) -> bool:
        """Note the rows of a table that differ, before and after; return whether there are any."""
        changed = identifier("temp", "main", f"changed_{node.name}")
        self._connection.execute(
            f"create or replace temp table {identifier(f'changed_{node.name}')} as "
            f"(select * from {earlier} except all select * from {later}) "
            f"union all (select * from {later} except all select * from {earlier})"
        )
        self._changed[node.unique_id] = changed
        [(count,)] = self._connection.execute(f"select count(*) from {changed}").fetchall()
        return bool(count)

    def _relation(self, node: Node) -> str:
        return identifier(self._database, node.schema, node.name)

    def _scratch(self, name: str) -> str:
        return identifier(_SCRATCH, "working", name)

    def _kept(self, name: str) -> str:
        return identifier(_SCRATCH, "kept", name)

    def _attach(self) -> None:
        if not self._is_attached:
            self._connection.execute(
                f"attach ':memory:' as {_SCRATCH}; create schema {_SCRATCH}.kept; create schema {_SCRATCH}.working"
            )
            self._is_attached = True

    def _drop_scratch(self) -> None:
        self._connection.execute(f"drop schema {_SCRATCH}.working cascade; create schema {_SCRATCH}.working")


def _is_staging(node: Node) -> bool:
    return node.is_view and not node.parents


def _is_among(keys: str, columns: Collection[str], *, with_null: bool) -> str:
    """SQL of the condition that one of the columns has one of the keys."""
    return " or ".join(
        f"{identifier(column)} in (select key from {keys})" + f" or {identifier(column)} is null" * with_null
        for column in columns
    )


def _renamed(sql: str, names: Mapping[str, str]) -> str:
    for name, new in names.items():
        sql = sql.replace(name, new)
    return sql
