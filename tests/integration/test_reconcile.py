"""A reconcile finds, counts and repairs the changes that ION did not report; compared with the world."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from ion_pipeline import warehouse
from ion_pipeline.catalog import known_catalog
from ion_pipeline.cli import app
from ion_pipeline.extract import CountMismatchError, SuspiciousDeletesError
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline.maintenance import compact
from tests.integration.support.changing_world import LONG_AGO, Tenant, add, changing_tenant, delete, update

pytestmark = pytest.mark.slow

OLD = {"_created": LONG_AGO, "_updated": LONG_AGO}


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with changing_tenant(tmp_path) as found:
        found.refresh()
        assert found.differences() == []
        yield found


def drift_silently(tenant: Tenant) -> dict[str, tuple[int, int, int, int]]:
    """Make changes that the tenant does not report; return their numbers: changed, missing, surplus, lists."""
    colour = {"key": "colour", "value": 1, "Created": LONG_AGO, "Updated": LONG_AGO}
    tenant.change(
        # The etag moves and `_updated` does not.
        update("parts", 10, _updated=LONG_AGO, description="changed"),
        update("parts", 20, _updated=LONG_AGO, description="changed too", attributes=[]),
        # Attributes that go, or change and say they did not.
        update("parts", 40, attributes=[]),
        update("parts", 50, attributes=[colour]),
        # Links and files that go or come, at rows that stay as they are.
        update("partInventories", 40, labels=[{"id": 10}]),
        update("partInventories", 80, labels=[{"id": 10}, {"id": 20}, {"id": 30}]),
        update("partInventories", 50, fileAttachments=[]),
        update("buildRequirements", 10, partInventories=[], referenceDesignators=[]),
        # A link to a row that is deleted, which is no secret, and itself no link any more, which is one.
        delete("labels", 60),
        update("partInventories", 120, labels=[{"id": 60}]),
        # As many rows as before, but not the same.
        delete("abomInstallations", 50),
        add("abomInstallations", id=5000, quantity=3, partInventoryId=10, **OLD),
        delete("abomInstallations", 70),
        add("abomInstallations", id=75, quantity=3, partInventoryId=10, **OLD),
        update("issuePartInventories", [1, 30], _updated=LONG_AGO, fromSplitInventory=True),
    )
    return {
        "parts": (2, 0, 0, 2),
        "part_inventories": (0, 0, 0, 4),
        "build_requirements": (0, 0, 0, 1),
        "abom_installations": (0, 2, 2, 0),
        "issue_part_inventories": (1, 0, 0, 0),
    }


def found_by(report: Any) -> dict[str, tuple[int, int, int, int]]:
    return {one.entity: (one.changed, one.missing, one.surplus, one.lists) for one in report.entities if one.drifted}


@pytest.mark.parametrize("profile", ["full", "today", pytest.param("no-keyset", marks=pytest.mark.exhaustive)])
def test_silent_drift_is_found_counted_and_repaired_once(tmp_path: Path, profile: str) -> None:
    with changing_tenant(tmp_path, profile) as tenant:
        tenant.refresh()
        planted = drift_silently(tenant)
        # Ordinary changes as well: a refresh reads them, so they are not drift.
        tenant.change(update("parts", 100, description="ordinary"), delete("partInventories", 390))
        loads = tenant.loads()
        seen = tenant.reconcile(dry_run=True)
        assert (found_by(seen), seen.load_id, tenant.loads()) == (planted, None, loads)
        if profile == "no-keyset":
            # Without ids to ask by, the refresh before it reads all of an entity that changed.
            del planted["parts"], planted["part_inventories"]
        report = tenant.reconcile()
        assert found_by(report) == planted
        assert report.drifted == sum(map(sum, planted.values()))
        # Rows read in full that changed in the second in which the read began are read again by one more load.
        *before, refreshed, repaired = tenant.loads()
        assert (refreshed, repaired) == (f"{report.refreshed}.json", f"{report.load_id}.json")
        assert before[: len(loads)] == loads
        assert len(before) <= len(loads) + (profile == "no-keyset")
        assert report.unsettled == {}
        assert tenant.differences() == []
        log = f"select entity, rows_drifted from raw._ion_load_tables where load_id = '{report.load_id}' "  # noqa: S608
        assert dict(tenant.query(log + "and rows_drifted > 0")) == {
            name: sum(counts) for name, counts in planted.items()
        }
        loads = tenant.loads()
        again = tenant.reconcile()
        assert (found_by(again), again.load_id) == ({}, None)
        if profile != "no-keyset":
            assert (again.refreshed, tenant.loads()) == (None, loads)
        assert again.rows == sum(len(tenant.world.rows[one.entity]) for one in again.entities) > 100


def test_a_refresh_alone_does_not_see_it(tenant: Tenant) -> None:
    """What is planted is drift indeed; otherwise the test above would show nothing."""
    drift_silently(tenant)
    tenant.refresh()
    tenant.refresh()
    tables = {line.split()[0] for line in tenant.differences()}
    assert tables >= {"parts", "part_attributes", "part_inventory_labels", "part_inventory_file_attachments"}
    assert tables >= {"build_requirement_part_inventories", "abom_installations", "issue_part_inventories"}


@pytest.mark.parametrize("profile", ["no-updated-filter", pytest.param("no-root-abom", marks=pytest.mark.exhaustive)])
def test_where_every_refresh_compares_nothing_drifts(tmp_path: Path, profile: str) -> None:
    with changing_tenant(tmp_path, profile) as tenant:
        tenant.refresh()
        drift_silently(tenant)
        # Nested lists do not show a requirement without a parent.
        tenant.change(update("buildRequirements", 10, partInventories=[{"id": 20}]))
        report = tenant.reconcile()
        compared = {one.entity for one in report.entities}
        assert not compared & {"abom_installations", "build_requirements", "part_inventories", "validation_functions"}
        assert report.refreshed
        assert tenant.differences() == []


def test_what_people_do_meanwhile_is_no_drift_and_not_lost(tenant: Tenant) -> None:
    tenant.change(update("parts", 10, _updated=LONG_AGO, description="silent"))
    for request in range(4, 26):
        row = 10 * (request % 20 + 2)
        tenant.change(
            update("parts", row, description=f"before {request}"),
            update("partInventories", row, attributes=[{"key": "colour", "value": request}]),
            before={"request": request},
        )
        tenant.change(delete("abomInstallations", row), before={"request": request + 1}) if request < 10 else None
    report = tenant.reconcile()
    assert found_by(report) == {"parts": (1, 0, 0, 0)}
    tenant.pass_by()
    tenant.refresh()
    assert tenant.differences() == []
    assert found_by(tenant.reconcile()) == {}


def test_too_many_deletes_are_not_believed_here_either(tenant: Tenant) -> None:
    gone = [10 * number for number in range(1, 36)]
    tenant.change(
        *(delete("abomInstallations", row_id) for row_id in gone),
        *(add("abomInstallations", id=row_id + 1, quantity=1, **OLD) for row_id in gone),
    )
    loads = tenant.loads()
    with pytest.raises(SuspiciousDeletesError, match="abom_installations"):
        tenant.reconcile()
    assert tenant.loads() == loads
    assert found_by(tenant.reconcile(accept_deletes=True)) == {"abom_installations": (0, 35, 35, 0)}
    assert tenant.differences() == []


def test_a_warehouse_that_somebody_altered_is_repaired(tenant: Tenant) -> None:
    with warehouse.connect(tenant.settings.warehouse_path) as connection:
        connection.execute("delete from raw.part_inventory_labels where part_inventory_id = 40 and label_id = 10")
        connection.execute("update raw.parts set _etag = 'other', part_number = 'other' where id = 10")
        # Attributes of a part that is in neither place.
        connection.execute("insert into raw.part_attributes (part_id, key) values (999, 'left over')")
    assert len(tenant.differences()) == 3
    assert found_by(tenant.reconcile()) == {"part_inventories": (0, 0, 0, 1), "parts": (1, 0, 0, 1)}
    assert tenant.differences() == []
    assert found_by(tenant.reconcile()) == {}


def test_pages_out_of_order_are_compared_all_the_same(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = drift_silently(tenant)
    page = PageReader.page

    async def unordered(self: PageReader, variables: Any) -> Any:
        found = await page(self, variables)
        is_by_id = "after" not in variables and "partNumber" not in (found.nodes or [{}])[0]
        return replace(found, nodes=found.nodes[::-1]) if is_by_id else found

    monkeypatch.setattr(PageReader, "page", unordered)
    assert found_by(tenant.reconcile()) == planted
    assert tenant.differences() == []


def test_a_row_that_ION_leaves_out_is_not_taken_for_deleted(  # noqa: N802 -- its name
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PageReader.page

    async def short(self: PageReader, variables: Any) -> Any:
        found = await page(self, variables)
        return replace(found, nodes=[node for node in found.nodes if node.get("id") != 100])

    monkeypatch.setattr(PageReader, "page", short)
    with pytest.raises(CountMismatchError):
        tenant.reconcile()
    assert tenant.differences() == []


def test_more_changes_than_not_are_read_in_order(tenant: Tenant) -> None:
    tenant.change(*(update("parts", 10 * n, _updated=LONG_AGO, description=f"changed {n}") for n in range(1, 25)))
    report = tenant.reconcile()
    assert found_by(report) == {"parts": (24, 0, 0, 0)}
    (strategy,) = tenant.query(
        f"select strategy from raw._ion_load_tables where table_name = 'parts' and load_id = '{report.load_id}'"  # noqa: S608
    )
    assert strategy == ("full",)
    assert tenant.differences() == []


def test_compacting_and_a_rebuild_keep_what_was_repaired(tenant: Tenant, tmp_path: Path) -> None:
    drift_silently(tenant)
    tenant.reconcile()
    log = "select * from raw._ion_load_tables order by all"
    before = tenant.query(log)
    compact(tenant.settings, keep=0)
    warehouse.rebuild(Lake(tenant.settings.lake_dir), tenant.settings.warehouse_path, known_catalog().tables.values())
    assert tenant.query(log) == before
    assert tenant.differences() == []


def test_a_warehouse_from_before_takes_the_new_column(tenant: Tenant) -> None:
    with warehouse.connect(tenant.settings.warehouse_path) as connection:
        connection.execute("alter table raw._ion_load_tables drop column rows_drifted")
    planted = drift_silently(tenant)
    tenant.reconcile()
    assert tenant.query("select sum(rows_drifted) from raw._ion_load_tables") == [(sum(map(sum, planted.values())),)]


def test_the_command_says_what_had_drifted(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in tenant.address.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ION_DATA_DIR", str(tenant.settings.data_dir))
    monkeypatch.setenv("ION_ENTITIES", ",".join(tenant.settings.entities))
    tenant.change(update("parts", 10, _updated=LONG_AGO, description="silent"))
    for options, verdict in (["--dry-run"], "Nothing was repaired"), ([], "Repaired by load"):
        result = CliRunner().invoke(app, ["reconcile", *options])
        assert result.exit_code == 0, result.output
        assert "1 had drifted" in result.output
        assert verdict in result.output
    assert tenant.differences() == []
    result = CliRunner().invoke(app, ["reconcile", "--json"])
    assert orjson.loads(result.stdout)["drifted"] == 0
    assert orjson.loads(result.stdout)["load_id"] is None
