"""Tables brought up to date by their affected rows have the rows that their statements give over all rows."""
# ruff: noqa: S608 -- names of our own and of the catalog

import random
import re
import shutil
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from graphql import GraphQLNonNull, GraphQLObjectType

from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt import building, replay
from ion_pipeline.pipeline.dbt.affected_rows import AffectedRows, Limits
from ion_pipeline.pipeline.dbt.changed_rows import TableRows, is_staging
from ion_pipeline.pipeline.dbt.pending import Pending, pending
from ion_pipeline.pipeline.dbt.project import models_digest, work_dir
from ion_pipeline.pipeline.dbt.rendered import Node, Rendered, load_rendered, rendered_digest
from ion_pipeline.pipeline.dbt.report import ChangedCount
from ion_pipeline.pipeline.export_control import data_references
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import Fingerprint, find_controlled, fingerprint
from ion_pipeline.warehouse.sql import identifier
from tests.examples import examples
from tests.integration.conftest import Built, settings_of

pytestmark = pytest.mark.slow

LOADS = 8
ROWS_OF_A_TABLE = 4


def rendered_of(settings: Settings) -> Rendered:
    found = load_rendered(work_dir(settings), rendered_digest(models_digest(settings)))
    assert found
    return found


@dataclass(frozen=True)
class Upstream:
    """What models with a rule read, through whatever other models.

    Attributes:
        models: The names of the models.
        named: The tables of `raw` behind the staging views that rules name.
        others: All other tables of `raw`.
    """

    models: frozenset[str]
    named: list[str]
    others: list[str]


def upstream_of(settings: Settings, nodes: list[Node]) -> Upstream:
    manifest = orjson.loads(dbt.prepared_manifest(settings).read_bytes())
    found = waiting = {node.unique_id for node in nodes}
    while waiting := {parent for one in waiting for parent in manifest["parent_map"][one]} - found:
        found = found | waiting
    models = frozenset(manifest["nodes"][one]["name"] for one in found if one.startswith("model."))
    tables = {manifest["sources"][one]["name"] for one in found if one.startswith("source.ion_warehouse.ion.")}
    inputs = {name for node in nodes if node.rule for name in (*node.rule.columns, *node.rule.lookups)}
    named = {table for table in tables if f"stg_ion__{table}" in inputs}
    return Upstream(models, sorted(named), sorted(tables - named))


def never_null(table: str) -> set[str]:
    """The columns of a table to which ION's schema gives a value in every row."""
    catalog = known_catalog()
    nodes = {name: entity.node_type for name, entity in catalog.entities.items()}
    nodes |= {child.table: child.node_type for entity in catalog.entities.values() for child in entity.children}
    node = known_schema().type_map[nodes[table]]
    assert isinstance(node, GraphQLObjectType)
    columns = (column for column in catalog.tables[table].columns if column.field in node.fields)
    return {column.name for column in columns if isinstance(node.fields[column.field].type, GraphQLNonNull)}


class People:
    """Changes rows of `raw` at random, and their versions in `raw_history`, as a load does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, chance: random.Random, staging: list[str]) -> None:
        """Keep what all loads need.

        Args:
            connection: The warehouse.
            chance: What it does at random.
            staging: Statements of views: of a table that one reads, only columns that it names are edited.
        """
        self._connection, self._random, self._staging = connection, chance, staging

    def load(self, tables: list[str]) -> None:
        [(last, at)] = self._connection.execute(
            "select max(load_id), max(valid_from) + interval 1 hour from raw._ion_loads"
        ).fetchall()
        values = {"load": f"{last}+", "at": at}
        self._connection.execute(
            "insert into raw._ion_loads by name select * replace ($load as load_id, $at as started_at, "
            "$at as committed_at, $at as loaded_at, $at as valid_from) "
            "from raw._ion_loads order by load_id desc limit 1",
            values,
        )
        for table in tables:
            self._change(table, values)

    def _change(self, table: str, values: dict[str, object]) -> None:
        keys = list(known_catalog().tables[table].key)
        raw, history = identifier("raw", table), identifier("raw_history", table)
        self._connection.execute(
            f"create or replace temp table edited as select * from {raw} "
            f"order by hash({', '.join(map(identifier, keys))}, {self._random.random()}) limit {ROWS_OF_A_TABLE}"
        )
        if not self._connection.execute("select count(*) from edited").fetchall()[0][0]:
            return
        same = " and ".join(f"h.{identifier(key)} is not distinct from e.{identifier(key)}" for key in keys)
        self._connection.execute(
            f"update {history} as h set valid_to = $at, is_current = false from edited as e "
            f"where h.is_current and {same}",
            {"at": values["at"]},
        )
        self._connection.execute(f"delete from {raw} as h using edited as e where {same}")
        if self._random.random() < 0.25:  # They stay deleted.
            self._connection.execute("delete from edited")
        self._edit(raw, [key for key in keys if key != "id"])
        if keys == ["id"] and self._random.random() < 0.5:
            self._connection.execute(
                f"insert into edited select * replace "
                f"((select max(id) from {history}) + 1 as id) from edited order by id limit 1"
            )
            self._edit(raw, keys)
        self._connection.execute("update edited set _ion_load = $load", {"load": values["load"]})
        self._connection.execute(f"insert into {raw} by name select * from edited")
        self._connection.execute(
            f"insert into {history} by name select *, $at as valid_from, true as is_current from edited",
            {"at": values["at"]},
        )
        self._connection.execute(
            "insert into raw._ion_load_tables (load_id, table_name, entity, strategy, rows_read, rows_inserted, "
            "rows_updated, rows_deleted, rows_after) select $load, $table, $table, 'incremental', 4, 0, 4, 0, "
            f"(select count(*) from {raw})",
            {"load": values["load"], "table": table},
        )

    def _edit(self, raw: str, keys: list[str]) -> None:
        """Give some columns the value that another row has, or none."""
        always = never_null(raw.rsplit(".", maxsplit=1)[-1].strip('"'))
        described = self._connection.execute(f"describe {raw}").fetchall()
        columns = [row[0] for row in described if not row[0].startswith("_ion") and row[0] not in {*keys, "id"}]
        read = {word for sql in self._staging if raw in sql for word in re.findall(r"\w+", sql)}
        columns = [column for column in columns if not read or column in read]
        for column in self._random.sample(columns, min(3, len(columns))):
            name = identifier(column)
            others = f"{raw} where {name} is not null order by hash({name}, {self._random.random()}) limit 1"
            is_none = self._random.random() < 0.2 and column not in always
            other = "null" if is_none else f"(select {name} from {others})"
            self._connection.execute(f"update edited set {name} = {other}")


def texts_of(connection: duckdb.DuckDBPyConnection, nodes: list[Node]) -> dict[str, Counter[str]]:
    """How often each table has a row, by the row as text."""
    return {
        node.unique_id: Counter(
            text
            for (text,) in connection.execute(
                f"select md5(t::varchar) from {identifier(node.schema, node.name)} as t"
            ).fetchall()
        )
        for node in nodes
    }


@pytest.fixture
def settings(tmp_path: Path, demo_warehouse: Built) -> Settings:
    shutil.copytree(demo_warehouse.data_dir, tmp_path / "data", symlinks=True)
    return settings_of(tmp_path / "data", included=True)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models of which rows were replaced, once for each time; however small a table is, this is tried."""
    found: list[str] = []
    real = AffectedRows.replace

    def noted(self: AffectedRows, node: Node, before: Fingerprint) -> TableRows | None:
        rows = real(self, node, before)
        if rows and rows.fingerprint != before:
            found.append(node.name)
        return rows

    monkeypatch.setattr(AffectedRows, "replace", noted)
    monkeypatch.setattr(replay, "Limits", lambda: Limits(least_rows=0, largest_share=1.0))
    return found


# From this one on, only columns are edited that models read: half of them are not.
STAGED_FROM = 251
# In 18 a row of a data grid goes whose columns are another step's.
SEEDS = [18, *range(2, 18), *range(19, 501)][: examples(4, night=499)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in SEEDS)])
def test_any_changes(settings: Settings, replaced: list[str], monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rendered = rendered_of(settings)
    nodes = [node for node in rendered.nodes.values() if node.rule and node.kind == "model"]
    tests = {node.name: node for node in rendered.nodes.values() if node.rule and node.kind == "test"}
    upstream = upstream_of(settings, nodes)
    assert len(upstream.named) > 10
    assert upstream.others

    def only_upstream(manifest: Mapping[str, Any], changed: Collection[str]) -> Pending:
        every = pending(manifest, changed)
        return replace(every, names=tuple(name for name in every.names if name in upstream.models | tests.keys()))

    monkeypatch.setattr(building, "pending", only_upstream)
    tables_built = [rendered.nodes[name] for name in rendered.nodes if name.split(".")[2] in upstream.models]
    tables_built = [node for node in tables_built if node.kind == "model" and not node.is_view]
    counted, after = Counter[bool](), dict[str, Counter[str]]()
    chance = random.Random(seed)
    staging = [node.sql for node in rendered.nodes.values() if is_staging(node) and seed >= STAGED_FROM]
    for number in range(LOADS):
        tables = chance.sample(upstream.named, 3) + (chance.sample(upstream.others, 1) if number % 3 == 2 else [])
        with duckdb.connect(str(settings.warehouse_path)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            People(connection, chance, staging).load(tables)
            # A load changes nothing that was built.
            before = after or texts_of(connection, tables_built)
        report = dbt.build_pending(settings)
        with duckdb.connect(str(settings.warehouse_path)) as connection:
            connection.execute("set TimeZone = 'UTC'; attach ':memory:' as whole")
            for node in nodes:
                built, whole = identifier("warehouse", node.schema, node.name), f"whole.{identifier(node.name)}"
                assert built in node.sql
                connection.execute(node.sql.replace(built, whole))
                differing = connection.execute(f"from {whole} except all from {built} limit 3").fetchall()
                assert differing == [], (node.name, tables)
                # As many rows: then nothing else is among them.
                assert len({connection.table(one).shape[0] for one in (built, whole)}) == 1, (node.name, tables)
            for test in tests.values():
                [(failures, _, _)] = connection.execute(test.sql).fetchall()
                assert failures == 0, (test.name, tables)
            after = texts_of(connection, tables_built)
            for result in report.nodes:
                if result.fingerprint:
                    node = rendered.nodes[result.unique_id]
                    assert fingerprint(connection, node.schema, node.name) == result.fingerprint
                    earlier, now = before[result.unique_id], after[result.unique_id]
                    assert result.changed == ChangedCount((now - earlier).total(), (earlier - now).total()), node.name
                    counted[node.rule is None] += bool(now - earlier)
    assert len(set(replaced)) > len(nodes) / 2, replaced
    assert min(counted[True], counted[False]) > 0
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        # What each load added to the rows under export control is what a search over all rows finds.
        kept = controlled_rows(connection)
        assert find_controlled(connection, data_references(settings), known_catalog().tables.values(), "over all rows")
        assert controlled_rows(connection) == kept
    assert sum(map(len, kept.values())) > 1000


def controlled_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    tables = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'raw_controlled'"
    ).fetchall()
    return {name: connection.execute(f"from raw_controlled.{name} order by all").fetchall() for (name,) in tables}


def test_rules_name_what_models_read(demo_warehouse: Built) -> None:
    """Each name is that of an upstream table or the model itself; the columns exist; the names occur in the SQL."""
    settings = settings_of(demo_warehouse.data_dir, included=True)
    nodes = rendered_of(settings).nodes
    ids = {node.name: unique_id for unique_id, node in nodes.items() if node.kind != "test"}
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found = connection.execute(
            "select table_name, list(column_name) from duckdb_columns() "
            "where not internal and not starts_with(schema_name, 'raw') and schema_name <> 'seeds' group by all"
        ).fetchall()
    columns = {table: set(names) for table, names in found}
    checked, staged_count, rules = 0, 0, Counter[str]()
    for node in nodes.values():
        if not (rule := node.rule):
            continue
        rules[node.kind] += 1
        read, waiting = set[str](), [node]
        while waiting:
            reader = waiting.pop()
            for parent in map(nodes.__getitem__, reader.parents):
                assert identifier("warehouse", parent.schema, parent.name) in reader.sql
                read.add(parent.name)
                if parent.is_view and parent.parents:
                    waiting.append(parent)
        for name in (*rule.columns, *rule.lookups):
            if is_staging(staged := nodes[ids[name]]):
                # What changes in one table is known; what that changes in another would not be.
                assert len(set(re.findall(r'"raw(?:_history)?"\."(\w+)"', staged.sql))) == 1, name
                staged_count += 1
        assert node.kind == "test" or rule.rows_by in columns[node.name]
        assert read >= {*rule.columns, *rule.lookups}, node.name
        for table, named in rule.columns.items():
            assert columns[table] >= set(named)
            checked += 1
        for table, lookups in rule.lookups.items():
            for lookup in lookups:
                assert lookup.column in columns[table]
                assert {lookup.table_column, rule.rows_by} <= columns[lookup.table]
                # What changed rows of the table in which it is looked up affect is known, too.
                assert lookup.table in {node.name, *rule.columns, *rule.lookups}
                if link := lookup.link:
                    assert {link.column, link.next_column} <= columns[link.table]
                    assert link.table in {*rule.columns, *rule.lookups}
                assert nodes[ids[lookup.table]].kind == "model"
                checked += 1
    assert checked > 30
    assert staged_count > 10
    assert rules["test"] > 0
