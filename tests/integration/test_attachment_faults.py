"""Faults of ION's file host: those that pass are waited for, those that stay fail their file alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.client import TransportError, retry
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built
from tests.integration.support.changing_world import serving
from tests.integration.support.file_tenant import (
    FileTenant,
    fetched,
    named,
    one,
    serving_files,
    settings_with,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served_once(demo_world: Path) -> Iterator[FileTenant]:
    with serving_files(demo_world) as served:
        yield served


@pytest.fixture
def tenant(served_once: FileTenant, monkeypatch: pytest.MonkeyPatch) -> FileTenant:
    monkeypatch.setattr(retry, "full_jitter", lambda *_: 0.0)
    served_once.reset()
    return served_once


@pytest.fixture
def settings(tenant: FileTenant, demo_warehouse: Built, tmp_path: Path) -> Settings:
    return settings_with(tenant, demo_warehouse, tmp_path / "data")


FAULTS: dict[str, tuple[list[dict[str, Any]], int]] = {
    # The faults, and how many requests the file host gets.
    "expired": ([{"kind": "expire_links", "next": 1}], 2),
    "cut": ([{"kind": "truncate", "next": 2}], 3),
    "cut, and the host has no ranges": ([{"kind": "truncate", "next": 1}, {"kind": "ignore_range", "next": 1}], 2),
    "damaged": ([{"kind": "corrupt", "next": 1}], 2),
    "dropped": ([{"kind": "drop", "next": 1}], 2),
    "unavailable": ([{"kind": "status", "status": 503, "next": 3}], 4),
    "throttled": ([{"kind": "status", "status": 429, "retry_after": "0", "next": 1}], 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes(fault: str, settings: Settings, tenant: FileTenant) -> None:
    rules, requests = FAULTS[fault]
    tenant.app.faults.set([{**rule, "endpoint": "files"} for rule in rules])
    result = one(settings, 53)
    assert (result.status, result.error) == ("fetched", "")
    assert result.path
    assert result.path.read_bytes() == tenant.content(53)
    assert len(tenant.front.asked) == requests
    # After a cut it asks for what is missing.
    size = len(tenant.content(53))
    ranges = [headers.get("range") for headers in tenant.front.asked]
    assert [value for value in ranges if value] == (
        [f"bytes={there}-" for there in cuts(size, requests - 1)] if "cut" in fault else []
    )
    again = {"cut, and the host has no ranges": size // 2, "damaged": size}
    assert result.received == size + again.get(fault, 0)


def cuts(size: int, count: int) -> list[int]:
    """Bytes that are there after each of some cut answers, which hold half of what they should."""
    found = [0]
    for _ in range(count):
        found.append(found[-1] + (size - found[-1]) // 2)
    return found[1:]


REFUSED = {
    "refused": ({"kind": "status", "status": 403}, "refuses the link to file 53 (403)", 2),
    "gone": ({"kind": "status", "status": 404}, "does not give file 53 (404)", 1),
    "always damaged": ({"kind": "corrupt"}, "do not match the file host's checksum (md5)", 2),
    "led away": ({"kind": "redirect", "location": "ftp://files.example/53"}, "is not an https address", 1),
    "led round": ({"kind": "redirect", "location": "/_files/53/x?X-Amz-Signature=no"}, "more than 3 times", 4),
    "down": ({"kind": "status", "status": 503}, "failed at file 53 with 503", 4),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_fault_that_stays_fails_its_file_alone(fault: str, settings: Settings, tenant: FileTenant) -> None:
    rule, error, requests = REFUSED[fault]
    tenant.app.faults.set([{**rule, "endpoint": "files"}])
    report = fetched(settings, 53)
    assert error in report.files[0].error
    assert (report.count("failed"), len(tenant.front.asked)) == (1, requests)
    assert named(settings.data_dir / "files") == {}
    for link in tenant.front.links:
        assert link.partition("X-Amz-Signature=")[2] not in repr(report)
    tenant.app.faults.clear()
    assert one(settings, 53).status == "fetched"


def test_a_file_that_ion_does_not_give_fails_alone(settings: Settings, tenant: FileTenant) -> None:
    table = tenant.app.engine.store.tables["FileAttachment"]
    before = {number: list(table.stored(number)) for number in (53, 54)}
    without = list(before[54])
    without[table.node.slots["downloadUrl"]] = None
    try:
        table.remove(53)
        table.put(without)
        report = fetched(settings, 53, 54, 55)
    finally:
        for row in before.values():
            table.put(row)
    assert [result.status for result in report.files] == ["failed", "failed", "fetched"]
    assert "FileAttachment with id" in report.files[0].error
    assert report.files[1].error == "ION gives no link to file 54."


def test_a_file_host_that_is_down_ends_the_fetch(settings: Settings, tenant: FileTenant) -> None:
    tenant.app.faults.set([{"kind": "drop", "endpoint": "files"}])
    with pytest.raises(TransportError, match="failed at file"):
        fetched(settings, *range(53, 63))


def test_a_redirect_takes_nothing_along(settings: Settings, tenant: FileTenant) -> None:
    asked: list[dict[str, str]] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
        await send({"type": "http.response.body", "body": b"abc"})

    with serving(other) as address:
        host = address.api_url.removeprefix("http://")
        rule = {"kind": "redirect", "location": f"http://{host}/there?X-Amz-Signature=1", "endpoint": "files"}
        tenant.app.faults.set([rule])
        result = one(settings, 53)
    assert result.path
    assert (result.path.read_bytes(), result.checked) == (b"abc", "size")
    (headers,) = asked
    assert headers.pop("user-agent").startswith("ion-pipeline/")
    assert headers == {"host": host, "accept": "*/*", "accept-encoding": "identity"}
