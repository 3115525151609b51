"""How many rows a tenant gives at once is learned once, kept for a week, and forgotten when it may have changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from ion_pipeline.client import ClientConfig
from ion_pipeline.pipeline import tenant
from ion_pipeline.pipeline.status import status
from ion_pipeline.pipeline.tenant import known_page_size, tenant_client
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.terminal.views import status_lines

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONFIG = ClientConfig(api_url="https://api.one", page_size=500)


def settings_of(data_dir: Path, page_size: int = 500) -> Settings:
    return load_settings(
        environment="custom", api_url="https://api.one", auth_url="https://auth.one", token="t", client_id="k",
        client_secret="s", data_dir=data_dir, page_size=page_size,
    )  # fmt: skip


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    at = [NOW]
    monkeypatch.setattr(tenant, "machine_time", lambda: at[0])
    return at


def asked(settings: Settings, config: ClientConfig = CONFIG, accepted: int | None = None) -> tuple[int, list[str]]:
    """The page size that a run begins with, and what it says at its end."""
    notes: list[str] = []

    async def run() -> int:
        async with tenant_client(settings, config, notes.append) as client:
            first = client.page_limit.rows
            if accepted is not None:
                client.page_limit.learn(accepted)
            return first

    return asyncio.run(run()), notes


def test_what_is_learned_holds_for_the_next_run_and_is_told_once(tmp_path: Path, clock: list[datetime]) -> None:
    settings = settings_of(tmp_path)
    assert asked(settings) == (500, [])
    assert list(tmp_path.iterdir()) == []
    first, notes = asked(settings, accepted=100)
    assert (first, len(notes)) == (500, 1)
    assert "at most 100 rows" in notes[0]
    assert "ION_PAGE_SIZE (500)" in notes[0]
    clock[0] += timedelta(days=6)
    assert asked(settings) == (100, [])
    # Less than was known is news; the week begins anew.
    assert asked(settings, accepted=50)[0] == 100
    clock[0] += timedelta(days=6)
    assert asked(settings) == (50, [])
    assert [path.name for path in tmp_path.iterdir()] == ["page_size.json"]


def test_a_raised_limit_is_found_after_a_week(tmp_path: Path, clock: list[datetime]) -> None:
    settings = settings_of(tmp_path)
    asked(settings, accepted=100)
    clock[0] += timedelta(days=7)
    assert asked(settings) == (500, [])
    assert known_page_size(settings) is None
    # If the limit still applies, it is detected again, for another week.
    assert asked(settings, accepted=100)[0] == 500
    assert asked(settings) == (100, [])


@pytest.mark.parametrize("page_size", [50, 100, 1000])
def test_another_page_size_is_tried_as_it_is_set(tmp_path: Path, clock: list[datetime], page_size: int) -> None:
    del clock
    asked(settings_of(tmp_path), accepted=100)
    other = ClientConfig(api_url="https://api.one", page_size=page_size)
    assert asked(settings_of(tmp_path, page_size), other)[0] == page_size


def test_another_host_and_a_clock_set_back_know_nothing(tmp_path: Path, clock: list[datetime]) -> None:
    settings = settings_of(tmp_path)
    asked(settings, accepted=100)
    assert asked(settings, ClientConfig(api_url="https://api.two", page_size=500))[0] == 500
    clock[0] -= timedelta(days=1)
    assert asked(settings)[0] == 500


def test_it_is_kept_when_the_run_fails(tmp_path: Path, clock: list[datetime]) -> None:
    del clock
    settings = settings_of(tmp_path)

    async def fail() -> None:
        async with tenant_client(settings, CONFIG, lambda _: None) as client:
            client.page_limit.learn(100)
            raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        asyncio.run(fail())
    assert asked(settings)[0] == 100


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"asked": 500, "accepted": 0}', b"\xff"])
def test_a_file_that_cannot_be_read_is_learned_anew(tmp_path: Path, clock: list[datetime], content: bytes) -> None:
    del clock
    (tmp_path / "page_size.json").write_bytes(content)
    assert asked(settings_of(tmp_path), accepted=100)[0] == 500
    assert orjson.loads((tmp_path / "page_size.json").read_bytes())["accepted"] == 100


def test_a_directory_that_cannot_be_written_does_not_fail_the_run(tmp_path: Path, clock: list[datetime]) -> None:
    del clock
    (tmp_path / "page_size.json").mkdir()
    first, notes = asked(settings_of(tmp_path), accepted=100)
    assert first == 500
    assert "the next run detects it again" in notes[1]


def test_status_says_so(tmp_path: Path, clock: list[datetime]) -> None:
    del clock
    settings = settings_of(tmp_path)
    (tmp_path / "tenant.json").write_text('{"organization_id": "1", "api_host": "api.one"}')
    asked(settings, accepted=100)
    lines = [line for line in status_lines(status(settings)) if isinstance(line, str)]
    assert "ION gives 100 rows of a list at once, fewer than ION_PAGE_SIZE (500); detected on 2026-03-01" in lines
