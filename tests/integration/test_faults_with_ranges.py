"""Large entities read in many ranges side by side while everything that can go wrong does, at random."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from ion_pipeline.catalog import negotiate
from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.extract import ReadProgress, fetch
from ion_pipeline.sandbox.server import SandboxAddress, export_world
from tests.integration.support.changing_world import served
from tests.integration.support.extraction import CATALOG, COMPUTED, Extraction, differences
from tests.oracle.world import World, read_world_dir

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

LARGE = ("abom_installations", "part_inventories", "run_step_fields", "run_steps")
FAULTS = [
    {"kind": "latency", "seconds": 0.01, "probability": 0.2},
    {"kind": "status", "status": 429, "retry_after": "0", "probability": 0.03},
    {"kind": "status", "status": 429, "retry_after": "date:1", "probability": 0.1, "next": 2},
    {"kind": "status", "status": 429, "probability": 0.02},
    {"kind": "timeout", "timeout_above_first": 4, "probability": 0.05},
    {"kind": "status", "status": 503, "probability": 0.04},
    {"kind": "status", "status": 500, "probability": 0.03},
    {"kind": "drop", "probability": 0.05},
    {"kind": "truncate", "probability": 0.05},
    {"kind": "not_json", "probability": 0.04},
    {"kind": "partial_error", "probability": 0.05},
    {"kind": "expire_tokens", "skip": 40, "next": 1},
    {"kind": "expire_tokens", "skip": 110, "next": 1},
    {"kind": "slow", "seconds": 0.05, "probability": 0.04},
]


class RangesRead(Extraction):
    """Remembers how many streams each entity took."""

    streams: Counter[str]

    async def _run(self, settings: ClientConfig, selection: Iterable[str], page_size: int) -> None:
        read_progress = ReadProgress()
        async with IonClient(settings) as client:
            self.plan = negotiate(await client.introspect(), CATALOG, selection)
            results = await fetch(
                client, self.plan, self.tables, progress=self.heard, page_size=page_size, read_progress=read_progress
            )
        self.results = {result.entity: result for result in results}
        self.streams = Counter({name: len(entry.ranges) for name, entry in read_progress})


@pytest.fixture(scope="module")
def world_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranges_world")
    export_world(folder, seed=11, scale=0.1)
    return folder


@pytest.fixture(scope="module")
def world(world_dir: Path) -> World:
    return read_world_dir(world_dir)


@pytest.fixture(scope="module")
def sandbox(profile: str, world_dir: Path) -> Iterator[SandboxAddress]:
    with served(world_dir, profile) as address:
        yield address


@pytest.mark.parametrize(
    ("profile", "seed"),
    [
        ("full", 0),
        ("full", 2),
        ("today", 0),
        ("today", 1),
    ],
    scope="module",
)
def test_nothing_is_lost_or_doubled(seed: int, profile: str, sandbox: SandboxAddress, world: World) -> None:
    url = f"{sandbox.api_url}/_sandbox/faults"
    httpx.post(url, json={"seed": seed, "rules": FAULTS}).raise_for_status()
    read = RangesRead(sandbox, selection=LARGE, page_size=12, max_attempts=15)
    fired: Counter[str] = Counter()
    for rule in httpx.get(url).json():
        fired[rule["kind"]] += rule["fired"]
    assert {kind for kind, times in fired.items() if times} == {rule["kind"] for rule in FAULTS}
    assert sum(fired.values()) >= 40
    # The ones that were read again by one stream, because something did not add up, would hide what ranges do.
    assert read.heard.notes == []
    assert sum(read.streams[name] >= 8 for name in LARGE) >= 2
    wanted = {name: len(world[CATALOG.entities[name].root_field]) for name in LARGE}
    if profile == "today":
        wanted["run_step_sessions"] = sum(len(row.get("sessions", [])) for row in world["runSteps"])
    assert {name: result.tables[name] for name, result in read.results.items()} == wanted
    assert differences(world, read, without=COMPUTED if profile == "today" else frozenset()) == []
