"""Today's ION: read whole over a socket, followed while sessions are edited, and modelled like the shipped schema's."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.pipeline import export_control, steps
from ion_pipeline.pipeline.adopt import adopt
from ion_pipeline.pipeline.check import check
from ion_pipeline.pipeline.entity_tables import published_entities
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.reconcile import reconcile
from ion_pipeline.sandbox.server import export_world
from ion_pipeline.sandbox.world import World, write_world
from ion_pipeline.settings import load_settings
from tests.integration.conftest import BuildWarehouse, Built, move_tenant, settings_for, settings_of
from tests.integration.support.changing_world import add, delete, served, update
from tests.integration.support.extraction import CATALOG, Extraction, differences
from tests.integration.support.tenant import Tenant, contents, running
from tests.oracle.world import World as Rows
from tests.oracle.world import read_world_dir
from tests.unit.dbt.models import sql_of

pytestmark = pytest.mark.slow

#: What ION computes in another way today (tests/unit/sandbox/test_today.py compares it with planted facts).
COMPUTED = frozenset(
    {"PartInventory.status", "PartInventory.quantityAvailable", "PurchaseOrder.status", "PurchaseOrderLine.status"}
)
GENERATION_1 = {"abom_items", "abom_edges"}


@pytest.fixture(scope="module")
def world_dir(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    return once("world-of-today", partial(export_world, scale=0.05, profile="today"))


@pytest.fixture(scope="module")
def world(world_dir: Path) -> Rows:
    return read_world_dir(world_dir)


def test_every_row_and_value_of_every_entity(world_dir: Path, world: Rows) -> None:
    with served(world_dir, "today") as address:
        read = Extraction(address)
    assert {name for name, result in read.results.items() if result.status != "read"} == GENERATION_1
    assert differences(world, read, without=COMPUTED) == []
    sessions = read.results["run_step_sessions"]
    assert (sessions.paging, sessions.total_count) == ("keyset", len(read.tables.rows["run_step_sessions"]))
    assert set(read.results) == {*CATALOG.entities, "run_step_sessions"}


def test_what_a_tenant_names_itself_is_adopted(world_dir: Path, world: Rows, tmp_path: Path) -> None:
    names = (("furtherActions", "correctiveActions"),)
    with served(world_dir, "today", names=names) as address:
        settings = settings_for(address, tmp_path, entities=HELD_FROM)
        found = adopt(settings)
        assert found.entities == ("supplierParts", "correctiveActions")
        assert set(found.fields) == {"IssueDispositionType.inventoryAvailability", "IssueDispositionType.autoResolve"}
        assert found.refused == ("Query.partInventoryBuildRequirements: its rows have no id",)
        settings = settings.model_copy(update={"entities": (*HELD_FROM, "supplier_parts", "corrective_actions")})
        steps.extract(settings)
        steps.load(settings)
        export_control.search(settings)

    # Adopted or not, each is published with as many rows as ION says.
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        said = dict(connection.execute("select table_name, total_count from raw._ion_load_tables").fetchall())
        published = {table.name: table.query for table in published_entities(settings)}
        for name in settings.entities:
            ((rows,),) = connection.execute(f"select count(*) from ({published[name]})").fetchall()  # noqa: S608
            assert rows == said[name] > 0

    def kept(table: str, columns: str) -> set[tuple[Any, ...]]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            return set(connection.execute(f"select {columns} from raw.{table}").fetchall())  # noqa: S608 -- our own names

    def there(root: str, *fields: str) -> set[tuple[Any, ...]]:
        return {tuple(row.get(field) for field in fields) for row in world[root]}

    assert kept("corrective_actions", "id, title, status, analysis_notes") == there(
        "furtherActions", "id", "title", "status", "analysisNotes"
    )
    assert kept("supplier_parts", "supplier_id, part_id, supplier_part_number, conversion_factor") == there(
        "supplierParts", "supplierId", "partId", "supplierPartNumber", "conversionFactor"
    )
    dispositions = kept("issue_disposition_types", "id, inventory_availability, auto_resolve")
    assert dispositions == there("issueDispositionTypes", "id", "inventoryAvailability", "autoResolve")
    assert len({availability for _, availability, _ in dispositions}) == 3
    holds = held(settings.warehouse_path)
    assert {row[:-1] for row in holds} == held_in(world) != set()
    assert {permanent for _, _, _, permanent, _, _ in holds} == {True, False}
    assert "UNAVAILABLE" in {status for *_, status in holds}


#: What says which issue holds which unit.
HELD_FROM = ("issue_disposition_types", "issue_part_inventories", "issues", "part_inventories")


def held(warehouse: Path) -> set[tuple[Any, ...]]:
    """Units that are held, with the issue, the rule and the unit's status, from the unchanged model over `raw`."""
    inputs = {
        "issue_units": "select part_inventory_id, issue_id, null as {} from raw.issue_part_inventories",
        "part_inventories": "select id as part_inventory_id, null as {}, * exclude id from raw.part_inventories",
        "stg_ion__issues": "select id as issue_id, issue_disposition_type_id, status from raw.issues",
        "stg_ion__issue_disposition_types": sql_of("stg_ion__issue_disposition_types"),
    }
    unused = {
        "issue_units": ("part_id", "part_number", "part_revision", "serial_number", "lot_number", "issue_title",
                        "opened_at", "is_export_controlled"),
        "part_inventories": ("location_name",),
    }  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as read (read_only); create schema raw")
        for table in HELD_FROM:
            connection.execute(f"create view raw.{table} as from read.raw.{table}")
        for name, sql in inputs.items():
            connection.execute(f"create view {name} as {sql.format(', null as '.join(unused.get(name, ())))}")
        columns = "part_inventory_id, issue_id, hold_rule, is_permanent, is_held, inventory_status"
        return set(connection.execute(f"select {columns} from ({sql_of('holds')})").fetchall())  # noqa: S608


def held_in(world: Rows) -> set[tuple[Any, ...]]:
    """The same from the world's rows, without the status, which ION computes."""
    rules = {row["id"]: row.get("inventoryAvailability") for row in world["issueDispositionTypes"]}
    issues = {row["id"]: row for row in world["issues"]}
    found = set()
    for link in world["issuePartInventories"]:
        issue = issues[link["issueId"]]
        rule = rules.get(issue.get("issueDispositionTypeId"))
        if rule == "PERMANENTLY_UNAVAILABLE" or (rule == "RELEASED_ON_RESOLUTION" and issue["status"] != "RESOLVED"):
            found.add((link["partInventoryId"], issue["id"], rule, rule == "PERMANENTLY_UNAVAILABLE", True))
    return found


def test_the_embedded_sandbox_is_todays(tmp_path: Path) -> None:
    settings = load_settings(
        environment="embedded", data_dir=tmp_path, sandbox_scale=0.02, entities=("abom_items", "run_steps")
    )
    found = check(settings)
    assert set(found.new_entities) == {"supplierParts", "furtherActions", "partInventoryBuildRequirements"}
    assert {one.entity: (one.status, one.total_count is None) for one in found.entities} == {
        "abom_items": ("absent", True),
        "run_steps": ("readable", False),
        "run_step_sessions": ("readable", False),
    }


STEPS = 40
LONG_AGO = "2026-03-01T08:00:00.000000+00:00"


def shop_floor(sessions_each: int) -> World:
    """Finished steps with some sessions each, last changed long ago."""
    stamps = {"_created": LONG_AGO, "_updated": LONG_AGO}
    rows: list[dict[str, Any]] = [
        {
            "id": step,
            **stamps,
            "runId": 1,
            "status": "COMPLETE",
            "sessions": [
                {"id": str(100 * step + one), "Created": LONG_AGO, "checkIn": LONG_AGO, "duration": 60.0 * one,
                 "checkOut": "2026-03-01T09:00:00.000000+00:00"}
                for one in range(sessions_each)
            ],
        }
        for step in range(1, STEPS + 1)
    ]  # fmt: skip
    return World(tables={"runs": [{"id": 1, **stamps}], "runSteps": rows})


def sessions_of(tenant: Tenant) -> dict[str, tuple[int, float | None]]:
    return {
        key: (step, hours)
        for key, step, hours in tenant.query("select id, run_step_id, duration from raw.run_step_sessions")
    }


# Few sessions are compared together with the counts, many in ranges of ids.
@pytest.mark.parametrize("sessions_each", [3, 15])
def test_sessions_on_finished_steps_are_followed(sessions_each: int, tmp_path: Path) -> None:
    write_world(shop_floor(sessions_each), tmp_path / "world")
    planted = {
        str(100 * step + one): (step, 60.0 * one) for step in range(1, STEPS + 1) for one in range(sessions_each)
    }
    with running(tmp_path / "world", tmp_path, "today", entities=("run_steps",)) as tenant:
        assert sessions_of(tenant) == planted
        assert tenant.refresh().load_id is None

        tenant.change(
            update("sessions", 702, duration=4711.0),
            update("sessions", 801, runStepId=9),
            delete("sessions", 902),
            add("sessions", id=99_999, runStepId=3, Created=LONG_AGO, checkIn=LONG_AGO, duration=5.0),
        )
        report = tenant.refresh()
        planted |= {"702": (7, 4711.0), "801": (9, 60.0), "99999": (3, 5.0)}
        del planted["902"]
        assert sessions_of(tenant) == planted
        results = {result.entity: result for result in report.entities}
        assert results["run_steps"].status == "unchanged"
        read = results["run_step_sessions"]
        assert (read.strategy, read.rows, read.deleted, read.total_count) == ("incremental", 3, 1, len(planted))
        versions = tenant.query(
            "select id, run_step_id, duration, is_current from raw_history.run_step_sessions "
            "where id in ('702', '801', '902', '703') order by id, valid_from, is_current"
        )
        assert versions[:6] == [
            ("702", 7, 120.0, False),
            ("702", 7, 4711.0, True),
            *([("703", 7, 180.0, True)] if sessions_each > 3 else []),
            ("801", 8, 60.0, False),
            ("801", 9, 60.0, True),
            ("902", 9, 120.0, False),
        ]  # fmt: skip
        assert tenant.refresh().load_id is None
        assert tenant.differences() == []


def test_a_tenant_that_gains_the_root_of_sessions_keeps_its_table(tmp_path: Path) -> None:
    write_world(shop_floor(3), tmp_path / "world")
    with running(tmp_path / "world", tmp_path / "nested", entities=("run_steps",)) as tenant:
        nested, kept = contents(tenant.settings), tenant.settings.data_dir
    assert len(nested["run_step_sessions"]) == 3 * STEPS
    with running(tmp_path / "world", tmp_path / "root", "today", entities=("run_steps",), read_before=kept) as tenant:
        report = tenant.refresh()
        assert {result.entity for result in report.entities} == {"run_steps", "run_step_sessions"}
        assert contents(tenant.settings) == nested
        assert tenant.query("select count(*) from raw_history.run_step_sessions where not is_current") == [(0,)]
        tenant.change(update("sessions", 702, duration=4711.0))
        tenant.refresh()
        assert sessions_of(tenant)["702"] == (7, 4711.0)
        assert tenant.differences() == []


class Notes(NullReporter):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def test_a_key_that_may_not_read_the_root_of_sessions_gets_them_with_their_steps(tmp_path: Path) -> None:
    write_world(shop_floor(3), tmp_path / "world")
    planted = {str(100 * step + one): (step, 60.0 * one) for step in range(1, STEPS + 1) for one in range(3)}
    with served(tmp_path / "world", "today", forbid=("sessions",)) as address:
        settings = settings_for(address, tmp_path / "data", entities=("run_steps",), page_size=50)
        tenant, notes = Tenant(address, settings, tmp_path), Notes()
        report = steps.extract(settings, reporter=notes)
        steps.load(settings)
        assert [(result.entity, result.status) for result in report.entities] == [("run_steps", "read")]
        assert len([note for note in notes.notes if "sessions: run_step_sessions is read with run_steps" in note]) == 1
        assert sessions_of(tenant) == planted
        assert tenant.refresh().load_id is None
        checked = check(settings)
        assert [(one.entity, one.status, one.paging) for one in checked.entities] == [
            ("run_steps", "readable", "keyset"), ("run_step_sessions", "readable", "nested"),
        ]  # fmt: skip
        assert checked.is_complete
        # Alone it is for a reconcile, with its step it is followed.
        tenant.change(update("sessions", 801, duration=4712.0))
        assert tenant.refresh().load_id is None
        reconcile(settings)
        steps.load(settings)
        assert sessions_of(tenant) == planted | {"801": (8, 4712.0)}
        tenant.change(update("sessions", 702, duration=4711.0), update("runSteps", 7, touch=True, title="again"))
        tenant.refresh()
        assert sessions_of(tenant) == planted | {"702": (7, 4711.0), "801": (8, 4712.0)}
        nested = contents(settings)
    # A key that may read it: the same rows.
    with served(tmp_path / "world", "today") as address:
        move_tenant(settings.data_dir, address)
        settings = settings_for(address, settings.data_dir, entities=("run_steps",), page_size=50)
        tenant = Tenant(address, settings, tmp_path)
        tenant.change(update("sessions", 702, duration=4711.0), update("runSteps", 7, touch=True, title="again"))
        tenant.change(update("sessions", 801, duration=4712.0))
        report = tenant.refresh()
        assert "run_step_sessions" in {result.entity for result in report.entities}
        assert len(contents(settings)["run_step_sessions"]) == len(nested["run_step_sessions"]) == len(planted)
        assert sessions_of(tenant) == planted | {"702": (7, 4711.0), "801": (8, 4712.0)}


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
