"""The versions that one query derives from all loads, against a dictionary in plain Python and against the loader."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.catalog.catalog import Table
from ion_pipeline.lake import LoadManifest
from ion_pipeline.pipeline.dbt.spark.versions import (
    LOAD_COLUMNS,
    TableLoad,
    first_versions_sql,
    load_rows,
    versions_sql,
)
from tests.examples import examples
from tests.unit.warehouse.random_loads import Load, Reference, full_loads, incremental_loads, loads_by_owner, plain
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, THINGS, House


@pytest.mark.slow
@settings(max_examples=examples(25), deadline=None)
@given(st.lists(full_loads | incremental_loads | loads_by_owner(), min_size=1, max_size=6))
def test_versions_of_any_sequence_of_loads(loads: list[Load]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        references = {table.name: Reference(table) for table in (THINGS, ATTRIBUTES, LINKS)}
        for load in loads:
            manifest = house.write(load.rows(), strategy=load.strategy, gone=load.gone, owners=load.owners)  # type: ignore[arg-type]
            for reference in references.values():
                reference.apply(load, manifest.load_id, manifest.started_at)
        for table in (THINGS, ATTRIBUTES, LINKS):
            assert versions(house, table) == references[table.name].expected_history()


@settings(max_examples=examples(10), deadline=None)
@given(full_loads | incremental_loads)
def test_versions_of_a_first_load(load: Load) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        manifest = house.write(load.rows(), strategy=load.strategy, gone=load.gone)  # type: ignore[arg-type]
        for table in (THINGS, ATTRIBUTES, LINKS):
            reference = Reference(table)
            reference.apply(load, manifest.load_id, manifest.started_at)
            assert versions(house, table, first=True) == reference.expected_history()


def versions(house: House, table: Table, *, first: bool = False) -> list[str]:
    """All versions of a table, as DuckDB derives them with the query for Spark; with the one of a first load if so."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        files, loads = _loads(house.lake.loads(), table)
        names = [f'"{column.name}"' for column in table.columns]
        fields = ", ".join(f"{name} := {name}" for name in names)
        paths = [f"{house.lake.location}/{path}" for path in files]
        connection.execute(
            f"create table incoming as select struct_pack({fields}) as row_values, "  # noqa: S608
            "_ion_deleted, _ion_load, _ion_seen_at, file_row_number + 1000000 * "
            "cast(regexp_extract(filename, 'part-([0-9]+)', 1) as bigint) as place "
            "from read_parquet(?, hive_partitioning := false, filename := true, file_row_number := true)",
            [paths],
        )
        columns = ", ".join(f"{name} {kind.replace('timestamp', 'timestamptz')}" for name, kind in LOAD_COLUMNS.items())
        connection.execute(f"create table loads ({columns})")
        connection.executemany("insert into loads values (?, ?, ?, ?, ?)", load_rows(loads))
        connection.execute(
            "create table kept as select *, _ion_seen_at as valid_from, _ion_seen_at as valid_to from incoming limit 0"
        )
        if first:
            assert [load.by_owner for load in loads] == [False]
            sql = first_versions_sql(table.key, quote='"')
        else:
            owner = table.key[0] if any(load.by_owner for load in loads) else ""
            sql = versions_sql(table.key, owner=owner, quote='"')
        rows = connection.execute(f"select row_values.*, _ion_load, valid_from, valid_to, is_current from ({sql})")  # noqa: S608
        return sorted(repr([*map(plain, row)]) for row in rows.fetchall())


def _loads(manifests: Sequence[LoadManifest], table: Table) -> tuple[list[str], list[TableLoad]]:
    files, loads = list[str](), list[TableLoad]()
    for number, manifest in enumerate(manifests, start=1):
        for one in manifest.tables:
            if one.table == table.name:
                files += [entry.path for entry in one.files]
                loads.append(
                    TableLoad(
                        number, manifest.load_id, manifest.started_at, one.read.strategy == "full", one.read.by_owner
                    )
                )
    return files, loads
