"""Refreshes of a tenant that people work in: after each, the warehouse is what a full read of the tenant would give."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline import warehouse
from ion_pipeline.catalog import known_catalog
from ion_pipeline.extract import SuspiciousDeletesError
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.extraction import plan
from ion_pipeline.sandbox.server import export_world
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import add, delete, served, update
from tests.integration.support.tenant import ENTITIES, Tenant, contents, history, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("incremental_world")
    export_world(folder, seed=7, scale=0.1)
    return folder


@pytest.fixture(scope="module")
def first_read(world_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tenant read and loaded once, before anybody changes it."""
    with running(world_dir, tmp_path_factory.mktemp("first_read")) as tenant:
        return tenant.settings.data_dir


@pytest.fixture
def tenant(world_dir: Path, tmp_path: Path, first_read: Path) -> Iterator[Tenant]:
    with running(world_dir, tmp_path, read_before=first_read) as found:
        yield found


@pytest.mark.parametrize("profile", ["today", pytest.param("full", marks=pytest.mark.exhaustive)])
def test_nothing_new_costs_few_requests_and_writes_no_load(profile: str, world_dir: Path, tmp_path: Path) -> None:
    with running(world_dir, tmp_path, profile, entities=()) as tenant:
        # The etags of today's sessions, which no filter finds, take two more.
        least = 5 if profile == "today" else 3
        loads = len(list((tenant.settings.lake_dir / "_loads").iterdir()))
        report, requests = tenant.requests_of_a_refresh()
        assert len(report.entities) > 70
        others = {result.entity for result in report.entities if result.status != "unchanged"}
        assert others == ({"abom_items", "abom_edges"} if profile == "today" else set())
        assert (report.load_id, requests) == (None, least)
        # Inside the overlap a change is seen again, and known to be known.
        fields = tenant.ids("run_step_fields")[:120]
        tenant.change(
            update("parts", tenant.ids("parts")[0], description="changed"),
            *(update("runStepFields", row_id, value=1) for row_id in fields),
        )
        changed = tenant.refresh()
        assert (changed.rows, changed.unsettled) == (121, {})
        report, requests = tenant.requests_of_a_refresh()
        assert (report.load_id, requests) == (None, least)
        assert len(list((tenant.settings.lake_dir / "_loads").iterdir())) == loads + 1


def test_a_forbidden_entity_is_named_and_costs_one_request(world_dir: Path, tmp_path: Path) -> None:
    with running(world_dir, tmp_path, forbid=("runs",)) as tenant:
        report, requests = tenant.requests_of_a_refresh()
        assert (report.load_id, requests, report.unread) == (None, 6, {"runs": "forbidden"})
        tenant.change(update("parts", tenant.ids("parts")[0], description="changed"))
        assert tenant.refresh().load_id
        assert tenant.differences() == []


def test_changes_and_deletes_are_read_and_nothing_else(tenant: Tenant) -> None:
    parts, installations = tenant.ids("parts"), tenant.ids("abom_installations")
    gone = installations[3::40]
    tenant.change(
        *(delete("abomInstallations", row_id) for row_id in gone),
        update("parts", parts[0], description="changed"),
        add("parts", id=parts[-1] + 10, partNumber="NEW", attributes=[{"key": "mass", "value": 3}]),
    )
    report, requests = tenant.requests_of_a_refresh()
    read = {result.entity: result for result in report.entities if result.status == "read"}
    assert {name: (one.strategy, one.rows, one.deleted) for name, one in read.items()} == {
        "abom_installations": ("incremental", 0, len(gone)),
        "parts": ("incremental", 2, 0),
    }
    assert requests <= 8
    assert report.unsettled == {}
    assert tenant.differences() == []
    closed = tenant.query(
        "select id from raw_history.abom_installations where not is_current and valid_to is not null order by id"
    )
    assert [row[0] for row in closed] == gone


def test_a_changed_link_without_an_id_is_read_once(world_dir: Path, tmp_path: Path) -> None:
    """Inside the overlap it is counted as changed again, and known by its key and etag."""
    with running(world_dir, tmp_path, entities=("plan_item_allocations",)) as tenant:
        *_, key = tenant.query("select child_plan_item_id, parent_plan_item_id from raw.plan_item_allocations")
        nothing, least = tenant.requests_of_a_refresh()
        assert nothing.load_id is None
        for quantity in (77, 78):
            tenant.change(update("planItemAllocations", list(key), touch=True, quantity=quantity))
            assert tenant.refresh().load_id
            report, requests = tenant.requests_of_a_refresh()
            assert (report.load_id, requests) == (None, least)
        assert tenant.query("select max(quantity) from raw.plan_item_allocations") == [(78,)]


@pytest.mark.parametrize("touch", [True, False])
def test_a_changed_attribute_arrives_whether_it_moves_its_owner_or_not(tenant: Tenant, touch: bool) -> None:
    ((owner, key),) = tenant.query("select part_id, key from raw.part_attributes order by all limit 1")
    tenant.change(update("parts", owner, touch, attributes=[{"key": key, "value": 4711}, {"key": "new", "value": "x"}]))
    tenant.refresh()
    assert tenant.query(f"select key, value from raw.part_attributes where part_id = {owner} order by key") == sorted(  # noqa: S608
        [(key, "4711"), ("new", '"x"')]
    )
    assert tenant.differences() == []


def test_lists_lose_rows_with_their_owner_and_without(tenant: Tenant) -> None:
    ((step,),) = tenant.query("select run_step_id from raw.run_step_sessions order by all limit 1")
    ((owner,),) = tenant.query("select part_id from raw.part_attributes order by all limit 1")
    tenant.change(update("runSteps", step, touch=True, sessions=[]), delete("parts", owner))
    tenant.refresh()
    assert tenant.query(f"select count(*) from raw.run_step_sessions where run_step_id = {step}") == [(0,)]  # noqa: S608
    assert tenant.query(f"select count(*) from raw.part_attributes where part_id = {owner}") == [(0,)]  # noqa: S608
    assert tenant.differences() == []


def test_a_row_that_appears_with_an_old_date_is_found_by_counting(tenant: Tenant) -> None:
    stamps = {"_created": "2026-01-01T00:00:00Z", "_updated": "2026-01-01T00:00:00Z"}
    last = tenant.ids("abom_installations")[-1]
    tenant.change(add("abomInstallations", id=last + 5, quantity=1, **stamps), delete("abomInstallations", last))
    tenant.change(add("abomInstallations", id=last + 6, quantity=1, **stamps))
    tenant.refresh()
    assert tenant.ids("abom_installations")[-2:] == [last + 5, last + 6]
    assert tenant.differences() == []


def test_what_changes_while_it_is_read_is_read_in_the_same_refresh(tenant: Tenant) -> None:
    parts, installations = tenant.ids("parts"), tenant.ids("abom_installations")
    tenant.change(update("parts", parts[0], description="first"))
    # The counts are the first request for parts, the changes the second, the counts after it the third.
    tenant.change(
        update("parts", parts[1], description="meanwhile"),
        delete("abomInstallations", installations[7]),
        before={"entity": "parts", "request": 3},
    )
    report = tenant.refresh()
    assert report.unsettled == {}
    assert tenant.differences() == []


def test_what_never_settles_is_reported_and_read_by_the_next_refresh(tenant: Tenant) -> None:
    parts = tenant.ids("parts")
    tenant.change(update("parts", parts[0], description="first"))
    for request in range(2, 12):
        tenant.change(
            update("parts", parts[request], description=f"before {request}"),
            before={"entity": "parts", "request": request},
        )
    report = tenant.refresh()
    assert report.unsettled == {"parts": report.unsettled["parts"]}
    for _ in range(3):
        tenant.refresh()
    assert tenant.differences() == []


def test_reads_that_were_not_loaded_yet_are_loaded_before_the_next(tenant: Tenant) -> None:
    parts = tenant.ids("parts")
    tenant.change(update("parts", parts[0], description="first"), delete("runs", tenant.ids("runs")[0]))
    assert steps.extract(tenant.settings).load_id
    tenant.change(update("parts", parts[1], description="second"), delete("runs", tenant.ids("runs")[1]))
    assert tenant.refresh().load_id
    assert tenant.differences() == []


def test_the_lake_alone_gives_the_same_warehouse_and_history(tenant: Tenant) -> None:
    ((owner,),) = tenant.query("select part_id from raw.part_attributes order by all limit 1")
    for number, installation in enumerate(tenant.ids("abom_installations")[:3]):
        tenant.change(
            delete("abomInstallations", installation),
            update("parts", owner, attributes=[{"key": f"k{number}", "value": number}]),
        )
        tenant.refresh()
    again = tenant.folder / "again.duckdb"
    warehouse.rebuild(Lake(tenant.settings.lake_dir), again, known_catalog().tables.values())
    assert len(list((tenant.settings.lake_dir / "_loads").iterdir())) == 4
    kept, rebuilt = (history(database) for database in (tenant.settings.warehouse_path, again))
    assert len(kept["part_attributes"]) >= 4
    assert rebuilt == kept


def test_pages_out_of_order_are_not_believed(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = tenant.ids("parts")
    tenant.change(update("parts", parts[0], description="changed"), update("parts", parts[5], description="changed"))
    page = PageReader.page

    async def unordered(self: PageReader, variables: Any) -> Any:
        found = await page(self, variables)
        if "after" in variables or not found.nodes[1:] or "partNumber" not in found.nodes[0]:
            return found
        return replace(found, nodes=found.nodes[::-1])

    monkeypatch.setattr(PageReader, "page", unordered)
    report = tenant.refresh()
    monkeypatch.undo()
    (read,) = [result for result in report.entities if result.status == "read"]
    assert (read.entity, read.strategy, read.paging, read.rows) == ("parts", "full", "cursor", len(parts))
    assert tenant.differences() == []


@pytest.mark.parametrize(
    "profile",
    [
        "no-updated-filter",
        "today",
        pytest.param("no-keyset", marks=pytest.mark.exhaustive),
        pytest.param("no-root-abom", marks=pytest.mark.exhaustive),
        pytest.param("generation-1", marks=pytest.mark.exhaustive),
        pytest.param("missing-fields", marks=pytest.mark.exhaustive),
    ],
)
def test_every_rung_gives_the_same_warehouse(world_dir: Path, tmp_path: Path, profile: str) -> None:
    with running(world_dir, tmp_path, profile, entities=(*ENTITIES, "abom_items", "run_step_fields")) as tenant:
        parts, items, fields = tenant.ids("parts"), tenant.ids("abom_items"), tenant.ids("run_step_fields")
        assert bool(items) is (profile != "today")
        # Today's ION computes the status of the units that this sets free, without a trace in `_updated`.
        freed = [] if profile == "today" else tenant.ids("abom_installations")[:2]
        tenant.change(
            update("parts", parts[0], description="changed"),
            add("parts", id=parts[-1] + 10, partNumber="NEW", attributes=[{"key": "mass", "value": 3}]),
            *(delete("abomInstallations", row_id) for row_id in freed),
            *(delete("abomItems", row_id) for row_id in items[4:5]),
            update("runStepFields", fields[3], value=4711),
            delete("runStepFields", fields[400]),
        )
        report = tenant.refresh()
        assert tenant.differences() == []
        read = {result.entity: result for result in report.entities if result.status == "read"}
        if profile == "no-updated-filter":
            assert read["run_step_fields"].strategy == "incremental"
            assert (read["run_step_fields"].rows, read["run_step_fields"].deleted) == (1, 1)
        if profile == "no-keyset":
            assert read["run_step_fields"].strategy == "full"


def test_a_tenant_that_is_suddenly_empty_is_not_believed(tenant: Tenant, world_dir: Path, tmp_path: Path) -> None:
    installations, before = tenant.ids("abom_installations"), contents(tenant.settings)
    tenant.change(*(delete("abomInstallations", row_id) for row_id in installations[: len(installations) * 3 // 4]))
    with pytest.raises(SuspiciousDeletesError, match=r"abom_installations had .*--accept-deletes"):
        tenant.refresh()
    tenant.change(*(delete("abomInstallations", row_id) for row_id in installations[len(installations) * 3 // 4 :]))
    for mode in ({}, {"full": True}):
        with pytest.raises(SuspiciousDeletesError, match=r"abom_installations had .* and has 0.*--accept-deletes"):
            tenant.refresh(**mode)
    assert contents(tenant.settings) == before
    tenant.refresh(accept_deletes=True)
    assert tenant.differences() == []
    assert tenant.ids("abom_installations") == []


def test_an_entity_that_left_the_schema_is_not_believed(tenant: Tenant, world_dir: Path) -> None:
    with served(world_dir, "generation-1") as other:
        # The same data directory, whose tenant is named by organisation and host.
        settings = settings_for(other, tenant.settings.data_dir, entities=ENTITIES)
        (settings.data_dir / "tenant.json").write_text(
            (settings.data_dir / "tenant.json").read_text().replace(tenant.address.api_url[7:], other.api_url[7:])
        )
        with pytest.raises(SuspiciousDeletesError, match=r"build_requirements .* no longer in the tenant's schema"):
            steps.extract(settings)


@pytest.mark.parametrize("profile", ["today", pytest.param("full", marks=pytest.mark.exhaustive)])
def test_a_plan_says_what_a_refresh_will_do_and_reads_nothing(profile: str, world_dir: Path, tmp_path: Path) -> None:
    with running(world_dir, tmp_path, profile) as tenant:
        tenant.change(update("parts", tenant.ids("parts")[0], description="x"), delete("runs", tenant.ids("runs")[0]))
        loads = sorted((tenant.settings.lake_dir / "_loads").iterdir())
        found = plan(tenant.settings)
        assert found.requests == 3
        # There are more sessions than a page has rows, so their etags do not come with the counts.
        scanned = {"run_step_sessions": "etag scan"} if profile == "today" else {}
        assert {task.plan.name: task.action for task in found.tasks if task.requests} == {
            "parts": "changes",
            "runs": "deletes",
            **scanned,
        }
        assert sorted((tenant.settings.lake_dir / "_loads").iterdir()) == loads
        assert {task.action for task in plan(tenant.settings, full=True).tasks} == {"full"}
