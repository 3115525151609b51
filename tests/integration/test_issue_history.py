"""Refreshes of a tenant in which an issue is resolved, reopened and resolved, and a lot is scrapped piece by piece."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.sandbox.server import export_world
from tests.integration.conftest import build_only
from tests.integration.support.changing_world import add, update
from tests.integration.support.tenant import Tenant, running
from tests.oracle.world import read_truths

pytestmark = pytest.mark.slow

ENTITIES = (
    "issues",
    "issue_approvals",
    "issue_approval_requests",
    "issue_disposition_types",
    "issue_part_inventories",
    "part_inventories",
    "parts",
)


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Iterator[Tenant]:
    folder = tmp_path_factory.mktemp("issue_history")
    export_world(folder / "world", seed=7, scale=0.05)
    with running(folder / "world", folder, entities=ENTITIES) as found:
        rendered(found.settings.data_dir)
        yield found


@pytest.fixture(scope="module")
def truths(tenant: Tenant) -> dict[str, Any]:
    return read_truths(tenant.folder / "world")


@pytest.fixture(scope="module")
def changed(tenant: Tenant, truths: dict[str, Any]) -> dict[str, list[datetime]]:
    """When each of the changes was made, by ION's clock, issue by issue."""
    reopened, lot = truths["reopened_issue"]["issue_id"], truths["scrap"]["part_inventory_ids"][0]
    new = max(tenant.ids("issues")) + 1
    made: dict[str, list[datetime]] = {"reopened": [], "new": [], "lot": []}
    for status in ("RESOLVED", "PENDING", "RESOLVED"):
        tenant.change(update("issues", reopened, touch=True, status=status))
        tenant.refresh()
        made["reopened"].append(stamp(tenant, "issues", reopened))
        # An edit that changes no status is no turn.
        tenant.change(update("issues", reopened, touch=True, title=f"still {status}"))
        tenant.refresh()
    tenant.change(add("issues", id=new, title="new", status="PENDING", createdById=1, updatedById=1, entityId=987654))
    tenant.refresh()
    made["new"].append(stamp(tenant, "issues", new))
    for scrapped in (20.0, 25.0):
        tenant.change(update("partInventories", lot, touch=True, quantity=97 - scrapped, quantityScrapped=scrapped))
        tenant.refresh()
        made["lot"].append(stamp(tenant, "part_inventories", lot))
    build_only(
        tenant.settings,
        "int_issues__open_periods",
        "issues",
        "issue_backlog_daily",
        "issue_resolution",
        "scrapped_units",
    )
    return made


def stamp(tenant: Tenant, entity: str, row_id: int) -> datetime:
    [(found,)] = tenant.query(f"select epoch_us(_updated) from raw.{entity} where id = {row_id}")  # noqa: S608
    return datetime.fromtimestamp(found / 1e6, UTC)


def ask(tenant: Tenant, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(tenant.settings.warehouse_path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql, values).fetchall()


def test_every_time_it_was_open(tenant: Tenant, truths: dict[str, Any], changed: dict[str, list[datetime]]) -> None:
    truth = truths["reopened_issue"]
    resolved, again, resolved_again = changed["reopened"]
    assert ask(
        tenant,
        "select opened_at, resolved_at, is_from_history from intermediate.int_issues__open_periods "
        "where issue_id = ? order by period_number offset 1",
        truth["issue_id"],
    ) == [(datetime.fromisoformat(truth["reopened_at"]), resolved, False), (again, resolved_again, True)]
    [row] = ask(
        tenant,
        "select is_open, reopened_count, reopened_at, resolved_at from quality.issues where issue_id = ?",
        truth["issue_id"],
    )
    assert row == (False, 2, again, resolved_again)


def test_the_backlog_counts_it_each_time(
    tenant: Tenant, truths: dict[str, Any], changed: dict[str, list[datetime]]
) -> None:
    resolved, again, resolved_again = changed["reopened"]
    days = {row[0]: row[1:] for row in ask(tenant, "select * from quality.issue_backlog_daily")}
    today = days[resolved_again.date()]
    if resolved.date() == resolved_again.date() == changed["new"][0].date():  # Else midnight has passed.
        opened, reopened, closed = today[:3]
        assert (opened, reopened, closed) == (2, 1, 2)
    [(open_rows,)] = ask(tenant, "select count(*) from raw.issues where status <> 'RESOLVED'")
    assert days[max(days)][3] == open_rows > 0
    [(count, mean)] = ask(
        tenant,
        "select sum(resolved_issue_part_count), sum(resolved_issue_part_count * mean_days_to_close) "
        "from quality.issue_resolution "
        "where part_number = 'PLT-ISSUE'",
    )
    truth = truths["reopened_issue"]
    spans = [(datetime.fromisoformat(truth["reopened_at"]), resolved), (again, resolved_again)]
    before = datetime.fromisoformat(truth["resolved_at"])
    [(opened_at,)] = ask(tenant, "select opened_at from quality.issues where issue_id = ?", truth["issue_id"])
    total = sum((end - start).total_seconds() for start, end in [*spans, (opened_at, before)])
    assert (count, mean) == (3, pytest.approx(total / 86400, rel=1e-9))


def test_an_issue_that_came_after_the_first_load_is_from_history(
    tenant: Tenant, changed: dict[str, list[datetime]]
) -> None:
    [row] = ask(
        tenant, "select opened_at, is_from_history, reopened_count from quality.issues where issue_title = 'new'"
    )
    assert row == (changed["new"][0], True, 0)
    [(known,)] = ask(tenant, "select count(*) from quality.issues where is_from_history")
    assert known == 1


def test_scrap_has_the_time_of_each_go(
    tenant: Tenant, truths: dict[str, Any], changed: dict[str, list[datetime]]
) -> None:
    lot = truths["scrap"]["part_inventory_ids"][0]
    found = ask(
        tenant,
        "select quantity_scrapped, is_from_history, scrapped_at from quality.scrapped_units "
        "where part_inventory_id = ? order by occasion",
        lot,
    )
    assert [row[:2] for row in found] == [(12.0, False), (8.0, True), (5.0, True)]
    assert [row[2] for row in found[1:]] == changed["lot"]
