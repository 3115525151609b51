"""Today's ION and the shipped schema: the same world gives the same tables, but for what ION computes in a new way."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.pipeline.entity_tables import published_entities
from tests.integration.conftest import BuildWarehouse, Built, settings_of
from tests.integration.support.extraction import CATALOG

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

GENERATION_1 = {"abom_items", "abom_edges"}
#: Schemas of the models, and columns that depend on when they were built or read.
MODELS = ("genealogy", "production", "quality", "reference", "supply")
OF_THE_READING = {
    "_ion_load",
    "_ion_seen_at",
    "_loaded_at",
    "valid_from",
    "seen_at",
    "as_of_at",
    "wip_age_hours",
    "current_step_hours",
    "hours_late",
    "hours_waiting",
    "oldest_age_days",
    "mean_age_days",
    "waiting_hours",
    "days_until_due",
}
#: Tables that hold generation 1 of the as-built BOM alone, or say how and when something was read; and every earlier
#: version of the rows of others, of which there is none here.
OTHERS = ("stg_ion_history", "abom_edges", "abom_item", "generation_1", "_loads", "_load_tables", "_schema_drift")
#: Whose status ION computes otherwise today, in the demo's world: a scrapped serial that is still installed, and orders
#: that wait for review or are partly here, with lines that were only requested or approved. Counted by hand.
NEWER = {
    "part_inventories": {68: "INSTALLED"},
    "purchase_orders": {2: "IN_REVIEW", 13: "PARTIALLY_RECEIVED", 14: "PARTIALLY_RECEIVED"},
    "purchase_order_lines": {3: "DRAFT", 4: "DRAFT", 5: "DRAFT", 6: "DRAFT"},
}
#: Columns with the status of a unit, an order or a line.
STATUS = {
    "genealogy_anomalies": {"evidence"},
    "part_impact_details": {"status"},
    "part_inventories": {"status"},
    "purchase_order_lines": {"status"},
    "purchase_orders": {"status"},
    "serialized_units": {"status"},
}


@pytest.fixture(scope="module")
def todays(demo_world: Path, build_warehouse: BuildWarehouse) -> Built:
    """The demo's world, read with today's schema."""
    return build_warehouse(demo_world, "today", only=MODELS)


@pytest.fixture(scope="module")
def both(demo_warehouse: Built, todays: Built) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same world read with the shipped schema and with today's: databases `shipped` and `today`."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, built in (("shipped", demo_warehouse), ("today", todays)):
            connection.execute(f"attach '{built.warehouse}' as {name} (read_only)")
        yield connection


def test_the_same_world_gives_the_same_tables(both: duckdb.DuckDBPyConnection) -> None:
    columns: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in both.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'today' "
        "and schema_name in $schemas order by all",
        {"schemas": ("raw", "staging", *MODELS)},
    ).fetchall():
        plain = table.removeprefix("stg_ion__")
        if not table.startswith("_ion") and not any(word in table for word in OTHERS):
            left_out = OF_THE_READING | STATUS.get(plain, set())
            columns.setdefault((schema, table), []).extend([] if column in left_out else [column])
    assert {schema for schema, _ in columns} == {"raw", "staging", *MODELS}
    differing, rows = {}, 0
    for (schema, table), names in columns.items():
        listed = ", ".join(f'"{name}"' for name in names)
        shipped, today = (f'from {name}."{schema}"."{table}"' for name in ("shipped", "today"))
        ((other, count, as_many),) = both.execute(
            f"with a as (select {listed} {shipped}), b as (select {listed} {today}) select "  # noqa: S608 -- our own names
            "(select count(*) from (from a except all from b)), (select count(*) from a), (select count(*) from b)"
        ).fetchall()
        rows += count
        if other or count != as_many:
            differing[f"{schema}.{table}"] = (other, count, as_many)
    assert differing == {}
    assert len(columns) > 200
    assert rows > 30_000


def test_every_root_connection_is_published_with_as_many_rows_as_ion_says(
    both: duckdb.DuckDBPyConnection, todays: Built, demo_warehouse: Built
) -> None:
    both.execute(f"attach if not exists '{demo_warehouse.published}' as published (read_only)")
    tables = published_entities(settings_of(todays.data_dir, included=True))
    said = dict(both.execute("select table_name, total_count from today.raw._ion_load_tables").fetchall())
    counts, differing = dict[str, int](), dict[str, int]()
    both.execute("use today")
    try:
        # What a publish writes, and what that of the shipped schema has written.
        for table in tables:
            left_out = STATUS.get(table.name, set()) | ({"etag"} if table.name == "run_step_sessions" else set())
            names = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in left_out)
            ((counts[table.name], differing[table.name]),) = both.execute(
                f"with b as materialized ({table.query}), a as (select {names} from published.{table.name}) select "  # noqa: S608
                f"(select count(*) from b), (select count(*) from (from a except all select {names} from b)) "
                f"+ (select count(*) from (select {names} from b except all from a))"
            ).fetchall()
    finally:
        both.execute("use memory")
    assert {name for name, rows in differing.items() if rows} == GENERATION_1 | {"abom_item_reference_designators"}
    roots = {name for name in CATALOG.default_selection if name not in GENERATION_1} | {"run_step_sessions"}
    assert {name: counts[name] for name in roots} == {name: said[name] for name in roots}
    assert len(roots) > 70
    assert all(counts[name] for name in roots)
    assert len(counts) > 120


def test_only_what_ion_computes_by_newer_rules_has_another_status(both: duckdb.DuckDBPyConnection) -> None:
    for table, newer in NEWER.items():
        found = both.execute(
            f"select id, b.status from shipped.raw.{table} as a join today.raw.{table} as b using (id) "  # noqa: S608
            "where a.status is distinct from b.status"
        ).fetchall()
        assert dict(found) == newer
    assert both.execute("select count(*) from today.raw.abom_items").fetchall() == [(0,)]
    ((sessions, hours),) = both.execute("select count(*), count(_etag) from today.raw.run_step_sessions").fetchall()
    assert sessions == hours > 100
