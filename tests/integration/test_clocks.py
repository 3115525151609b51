"""The header's clock, the database's and this machine's differ: no refresh that reports success misses a change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from ion_pipeline.client import clock as client_clock
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import read_clock
from ion_pipeline.pipeline.status import status
from tests.integration.support.changing_world import Tenant, changing_tenant, delete, update

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with changing_tenant(tmp_path) as tenant:
        yield tenant


def dated(tenant: Tenant, minutes: float, **rule: Any) -> None:
    """Let the answers' dates be off."""
    rules = [{"kind": "date", "seconds": 60 * minutes, **rule}] if minutes else []
    tenant.ask("POST", "/_sandbox/faults", json=rules).raise_for_status()


def set_machine(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Let this machine's clock be off."""
    for module in (client_clock, read_clock):
        monkeypatch.setattr(module, "machine_time", lambda: datetime.now(UTC) + timedelta(minutes=minutes))


def work(tenant: Tenant, number: int) -> None:
    """What people do between two refreshes: in entities with etags and lists, without an id, and by deleting."""
    tenant.change(
        update("parts", 10 * number, partNumber=f"changed {number}"),
        update("partInventories", 20, quantity=number),
        update("issuePartInventories", [1, 10 * number], fromSplitInventory=True),
        delete("abomInstallations", 10 * number),
    )


@pytest.mark.parametrize(
    ("header", "machine"),
    [
        (10, 0),
        (-24 * 60, 10),
        (10, 10),
        (-10, 0),
        (24 * 60, -10),
    ],
)
def test_clocks_that_are_wrong_all_the_time(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, header: float, machine: float
) -> None:
    set_machine(monkeypatch, machine)
    dated(tenant, header)
    tenant.refresh()
    for number in range(1, 4):
        work(tenant, number)
        assert tenant.refresh().load_id
        assert tenant.differences() == []
    # Two clocks that are wrong alike cannot be noticed; nothing is lost by them either.
    assert any("ION's clock" in doubt for doubt in status(tenant.settings).clock_doubts) == (header != machine)


@pytest.mark.parametrize("header", [10, 24 * 60])
def test_a_header_that_is_set_forward_between_two_loads(tenant: Tenant, header: float) -> None:
    tenant.refresh()
    work(tenant, 1)
    tenant.refresh()
    dated(tenant, header)
    for number in range(2, 5):
        work(tenant, number)
        assert tenant.refresh().load_id
        assert tenant.differences() == []
    dated(tenant, 0)
    work(tenant, 5)
    assert tenant.refresh().load_id
    assert tenant.differences() == []


@pytest.mark.parametrize("answer", [0, 2])
def test_one_answer_a_day_ahead(tenant: Tenant, answer: int) -> None:
    tenant.refresh()
    work(tenant, 1)
    dated(tenant, 24 * 60, next=1, skip=answer)
    assert tenant.refresh().load_id
    for number in (2, 3):
        work(tenant, number)
        assert tenant.refresh().load_id
        assert tenant.differences() == []


def test_a_watermark_in_the_future_is_not_believed(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a version left it that believed one answer; its manifests say nothing of clocks."""
    tenant.refresh()
    lake = Lake(tenant.settings.lake_dir)
    (load_id,) = lake.load_ids()
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    path = tenant.settings.lake_dir / "_loads" / f"{load_id}.json"
    document = orjson.loads(path.read_bytes())
    document["clock"] = None
    for table in document["tables"]:
        table["read"]["until"] = table["read"]["until"] and ahead
    path.write_bytes(orjson.dumps(document))
    work(tenant, 1)
    report = tenant.refresh()
    assert any("are in the future" in doubt for doubt in report.clock_doubts)
    assert tenant.differences() == []


def test_nothing_new_writes_no_load_whatever_the_clocks_say(tenant: Tenant) -> None:
    tenant.refresh()
    for header in (0, 10, -10, 24 * 60):
        dated(tenant, header)
        tenant.ask("POST", "/_sandbox/stats/reset").raise_for_status()
        report = tenant.refresh()
        requests = tenant.ask("GET", "/_sandbox/stats").json()["requests"]
        # One of the entities shows no changes: its etags come with the counts.
        assert (report.load_id, requests) == (None, 3)
