"""Executes models and tests over their affected rows, with the statements that dbt rendered.

A model with a rule (`row_rules`) is not built from all rows if few of them are affected. Its affected keys are found
from the changed rows of its upstream tables. Then its statement is executed with each upstream table limited to those
keys, and the result replaces the rows with those keys. A test with a rule, if it passed over all rows before, looks at
the rows with the affected keys.

The SQL stays that of the model: only names of tables in it are replaced by names of tables in a scratch database.
"""
# ruff: noqa: S608 -- names are quoted by `identifier`

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from ion_pipeline.pipeline.dbt.changed_rows import ChangedRows, Scratch, Since, TableRows, is_staging
from ion_pipeline.pipeline.dbt.rendered import Node
from ion_pipeline.pipeline.dbt.report import ChangedCount
from ion_pipeline.pipeline.dbt.row_rules import Lookup, RowRule
from ion_pipeline.warehouse import Fingerprint
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.fingerprints import FINGERPRINT
from ion_pipeline.warehouse.sql import identifier

# A table that a staging view reads.
_RAW = re.compile(r'"(raw(?:_history)?)"\."(\w+)"')


@dataclass(frozen=True, slots=True)
class Limits:
    """When few enough rows are affected.

    Attributes:
        least_rows: The rule of a model or test is not used, because all rows take less than finding the affected ones,
            if the model is smaller, and so is each table that the rule names.
        largest_share: A table of which more rows are affected is built from all rows.
        most_keys: So is one with more affected keys, for they are in memory.
    """

    least_rows: int = 20_000
    largest_share: float = 0.3
    most_keys: int = 500_000


class AffectedRows:
    """Execution over affected rows.

    Attributes:
        changed: The changed rows of upstream tables.
        limited: Unique ids of the models and tests that were not executed over all rows.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        nodes: Mapping[str, Node],
        since: Since | None,
        has_changed: Callable[[str], bool],
        limits: Limits,
    ) -> None:
        """Find what rules name.

        Args:
            connection: The warehouse.
            nodes: The nodes by unique id.
            since: What is new since the last build; None if that is not known row by row.
            has_changed: Whether an upstream node has other rows than in the last build.
            limits: When few enough rows are affected.
        """
        self._connection, self._nodes, self._limits = connection, nodes, limits
        self._ids = {node.name: unique_id for unique_id, node in nodes.items() if node.kind != "test"}
        self._rules = dict(self._large_ones()) if since else {}
        self._due = since.due if since else ()
        self._scratch = Scratch(connection)
        named = {name for rule in self._rules.values() for name in (*rule.columns, *rule.lookups)}
        self.changed = ChangedRows(connection, nodes, since, has_changed, self._scratch, named=named)
        self.limited: set[str] = set()

    def has_rule(self, node: Node) -> bool:
        """Whether a model or test has a rule that is used."""
        return node.unique_id in self._rules

    def replace(self, model: Node, before: Fingerprint) -> TableRows | None:
        """Replace the affected rows of a model that has the rows of the last build.

        Returns:
            Its rows now; None if the model must be built from all rows.

        Raises:
            duckdb.Error: A statement failed; the model is unchanged.
        """
        rule = self._rules.get(model.unique_id)
        if not rule or model.unique_id in self._due:
            return None
        changed = self.changed.of_inputs(model, rule)
        if changed is None:
            return None
        with self._scratch.node():
            rows = self._replace(model, rule, changed, before)
        if rows is not None:
            self.limited.add(model.unique_id)
        return rows

    def passes(self, test: Node, passes: Callable[[str], bool]) -> bool:
        """Whether a test that passed in the last build passes over the affected rows.

        Args:
            test: The test.
            passes: Whether a statement finds no row.

        Raises:
            duckdb.Error: A statement failed.
        """
        rule = self._rules.get(test.unique_id)
        if not rule or test.unique_id in self._due:
            return False
        changed = self.changed.of_inputs(test, rule)
        if changed is None:
            return False
        with self._scratch.node():
            keys, nulls = self._find_keys(rule, changed)
            if keys > self._limits.most_keys or not passes(_renamed(test.sql, self._limit(test, rule, nulls > 0))):
                return False
        self.limited.add(test.unique_id)
        return True

    def _large_ones(self) -> Iterator[tuple[str, RowRule]]:
        """The rules of which a table is large, by unique id."""
        found = self._connection.execute(
            "select schema_name, table_name, estimated_size from duckdb_tables() "
            "where database_name = current_database()"
        ).fetchall()
        sizes = {(schema, name): size for schema, name, size in found}

        def is_large(node: Node) -> bool:
            read = _RAW.findall(node.sql) if is_staging(node) else [(node.schema, node.name)]
            return any(sizes.get(table, 0) >= self._limits.least_rows for table in read)

        for unique_id, node in self._nodes.items():
            if rule := node.rule:
                named = (self._nodes[self._ids[name]] for name in (*rule.columns, *rule.lookups))
                if is_large(node) or any(map(is_large, named)):
                    yield unique_id, rule

    def _replace(self, model: Node, rule: RowRule, changed: Mapping[str, str], before: Fingerprint) -> TableRows | None:
        table = self.changed.relation(model)
        earlier, fresh = self._scratch.working("earlier"), self._scratch.working("fresh")
        count, nulls = self._find_keys(rule, changed)
        if not count:
            return TableRows(before, ChangedCount(0, 0))
        is_affected = self._is_affected([rule.rows_by], nulls > 0)
        [(rows,)] = self._connection.execute(f"select count(*) from {table} where {is_affected}").fetchall()
        if rows > self._limits.largest_share * before.rows or count > self._limits.most_keys:
            return None
        self._connection.execute(f"create table {earlier} as select * from {table} where {is_affected}")
        self._connection.execute(_renamed(model.sql, {**self._limit(model, rule, nulls > 0), table: fresh}))
        self._connection.execute(f"delete from {fresh} where not coalesce({is_affected}, false)")
        differ = self.changed.compare(model, earlier, fresh)
        if not differ:
            return TableRows(before, ChangedCount(0, 0))
        with transaction(self._connection):
            self._connection.execute(f"delete from {table} where {is_affected}")
            self._connection.execute(f"insert into {table} select * from {fresh}")
        gone, new = self._fingerprint(earlier), self._fingerprint(fresh)
        more = new.rows - gone.rows
        return TableRows(
            Fingerprint(before.rows + more, before.hash_sum - gone.hash_sum + new.hash_sum),
            ChangedCount.of(differ, more),
        )

    def _find_keys(self, rule: RowRule, changed: Mapping[str, str]) -> tuple[int, int]:
        """Find the distinct keys of the rows that the changed rows affect; return how many, and how many are null."""
        found = [
            f"select {identifier(column)} as key from {changed[name]}"
            for name, columns in rule.columns.items()
            if name in changed
            for column in columns
        ] + [
            f"select {identifier(rule.rows_by)} as key from {self._named(lookup.table)} "
            f"where {identifier(lookup.table_column)} in ({self._looked_up(lookup, changed[name])})"
            for name, lookups in rule.lookups.items()
            if name in changed
            for lookup in lookups
        ]
        keys = self._scratch.working("keys")
        sql = f"select distinct key from ({' union all '.join(found)})" if found else "select null as key where false"
        self._connection.execute(f"create table {keys} as {sql}")
        [(count, nulls)] = self._connection.execute(
            f"select count(*), count(*) filter (key is null) from {keys}"
        ).fetchall()
        return count, nulls

    def _looked_up(self, lookup: Lookup, changed: str) -> str:
        """SQL of the values of a lookup's last column to which changed rows lead."""
        values = f"select {identifier(lookup.column)} from {changed}"
        if link := lookup.link:
            return (
                f"select {identifier(link.next_column)} from {self._named(link.table)} "
                f"where {identifier(link.column)} in ({values})"
            )
        return values

    def _is_affected(self, columns: Collection[str], with_null: bool) -> str:
        """SQL of the condition that one of the columns has an affected key."""
        keys = self._scratch.working("keys")
        return " or ".join(
            f"{identifier(column)} in (select key from {keys})" + f" or {identifier(column)} is null" * with_null
            for column in columns
        )

    def _limit(self, node: Node, rule: RowRule, with_null: bool) -> dict[str, str]:
        """Limit upstream tables to the affected keys; return what to call them, and the views between, instead."""
        names = dict[str, str]()
        for name, columns in rule.columns.items():
            self._create_limited(names, name, self._is_affected(columns, with_null))
        for name in rule.limited_by_lookups():
            places = (
                f"{identifier(one.column)} in (select {identifier(one.table_column)} "
                f"from {names[self._named(one.table)]})"
                for one in rule.lookups[name]
            )
            self._create_limited(names, name, " or ".join(places))
        for number, view in enumerate(self._views_between(node, {*rule.columns, *rule.limited_by_lookups()})):
            limited = self._scratch.working(f"view_{number}")
            self._connection.execute(_renamed(view.sql, {**names, self.changed.relation(view): limited}))
            names[self.changed.relation(view)] = limited
        return names

    def _create_limited(self, names: dict[str, str], name: str, condition: str) -> None:
        source, limited = self._named(name), self._scratch.working(f"limited_{len(names)}")
        self._connection.execute(f"create table {limited} as select * from {source} where {condition}")
        names[source] = limited

    def _views_between(self, node: Node, limited: Collection[str]) -> Iterator[Node]:
        """The views through which a node reads tables that are limited, each after those that it reads."""
        found: dict[str, bool] = {}

        def visit(unique_id: str) -> Iterator[Node]:
            parent = self._nodes[unique_id]
            found[unique_id] = parent.name in limited
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

    def _fingerprint(self, table: str) -> Fingerprint:
        return Fingerprint(*self._connection.execute(f"select {FINGERPRINT} from {table} as t").fetchall()[0])

    def _named(self, name: str) -> str:
        return self.changed.relation(self._nodes[self._ids[name]])


def _renamed(sql: str, names: Mapping[str, str]) -> str:
    for name, new in names.items():
        sql = sql.replace(name, new)
    return sql
