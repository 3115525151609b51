"""Rows of any kind that ION can hold, at random in the demo: everything is built, and no blocking test stops it."""

import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from graphql import is_non_null_type

from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.catalog import Column
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt.report import FAILED
from ion_pipeline.warehouse import connect
from ion_pipeline.warehouse.connection import transaction
from tests.integration.conftest import Built, settings_of

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

# Names of people decide nothing.
LEFT_ALONE = frozenset({"users", "organizations"})
# Of each column, one row in so many gets each of the values below.
ONE_IN = 40
ENDS_OF_TIME = ("timestamptz '9999-12-31 23:59:59+00'", "timestamptz '0001-01-01 00:00:00+00'")


def values(column: Column, sql_type: str, *, nullable: bool) -> Iterator[str]:
    """What else a column may hold, as SQL: nothing, a row that is gone, ends of time, odd numbers, blanks, news."""
    if nullable:
        yield "null"
    if sql_type == "BIGINT":
        yield from ("900000001",) if column.name.endswith("_id") else ("0", "-5", "999999999")
    elif sql_type.startswith("TIMESTAMP"):
        yield from ENDS_OF_TIME
    elif sql_type == "DOUBLE":
        yield from ("0", "-5", "0.1 + 0.2", "1e15")
    elif sql_type == "BOOLEAN":
        yield f'not coalesce("{column.name}", false)'
    elif sql_type == "VARCHAR" and not column.is_json:
        yield from ("'SOMETHING_NEW'",) if column.members else ("''", "'  '")


def spoil(connection: duckdb.DuckDBPyConnection, choice: random.Random) -> int:
    """Put such values into rows of `raw`, and into what history knows of them as they are now; how many kinds."""
    catalog, types = known_catalog(), known_schema().type_map
    of_table: dict[str, str] = {}
    for entity in catalog.entities.values():
        of_table |= {entity.name: entity.node_type, **{child.table: child.node_type for child in entity.children}}
    kinds = 0
    for table in catalog.tables.values():
        known = {name: kind for name, kind, *_ in connection.execute(f'describe raw."{table.name}"').fetchall()}
        fields: Mapping[str, Any] = types[of_table[table.name]].fields  # type: ignore[attr-defined]
        key = " || '|' || ".join(f'cast("{name}" as varchar)' for name in table.key)
        for column in table.columns:
            if table.entity in LEFT_ALONE or column.name in table.key or column.name not in known:
                continue
            field = fields.get(column.field)
            nullable = field is not None and not is_non_null_type(field.type)
            for value in values(column, known[column.name], nullable=nullable):
                chosen = f"hash({key} || '{choice.getrandbits(32)}') % {ONE_IN} = 0"
                statement = f'set "{column.name}" = {value} where {chosen}'
                connection.execute(f'update raw."{table.name}" {statement}')
                connection.execute(f'update raw_history."{table.name}" {statement} and is_current')
                kinds += 1
    return kinds


@pytest.mark.parametrize("seed", [6, 7])
def test_nobodys_row_stops_the_others(demo_warehouse: Built, tmp_path: Path, seed: int) -> None:
    shutil.copytree(demo_warehouse.data_dir / "dbt", tmp_path / "dbt")
    shutil.copy(demo_warehouse.warehouse, tmp_path / "warehouse.duckdb")
    settings = settings_of(tmp_path, included=True)
    with connect(settings.warehouse_path) as connection:
        with transaction(connection):  # Each of the updates would end one of its own.
            assert spoil(connection, random.Random(seed)) > 2000
        connection.execute("drop table raw._ion_build")
    report = dbt.build_pending(settings)
    assert [node for node in report.nodes if node.status in FAILED] == []
    assert report.count("model", "success") > 200
    # They are reported: many more than the two warnings of the demo.
    assert report.count("test", "warn") > 10
