"""A refresh whose lake is in an object store, killed and hindered at random points, ends like an undisturbed one."""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, cycle, repeat
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest
import structlog

from ion_pipeline.files import ObjectStoreError
from ion_pipeline.files.bucket import Patience
from ion_pipeline.files.errors import StoreWriteError
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.sandbox.server import export_world
from ion_pipeline.settings import Settings, load_settings
from tests.examples import attempts
from tests.faulty_store import BUCKET, Fault, FaultyStore, Kind, faulty_store
from tests.integration.conftest import MEMORY
from tests.integration.support.changing_world import delete, update
from tests.integration.support.tenant import Tenant, contents, history, running
from tests.mortal import Mortal, mortal

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

# With and without lists inside, and one that shows its changes by its etags alone.
ENTITIES = ("abom_installations", "part_inventories", "parts", "validation_functions")


@dataclass(frozen=True)
class Place:
    """A tenant whose lake is in a store, read once and changed since."""

    tenant: Tenant
    store: FaultyStore
    folder: Path
    undisturbed: dict[bool, Settings] = field(default_factory=dict)

    def wanted(self, *, copied: bool) -> Settings:
        """What an undisturbed read gives, extracted and loaded: of everything, or of the changes."""
        if copied not in self.undisturbed:
            settings = self.undisturbed[copied] = self.settings(f"undisturbed-{copied}", copied=copied)
            steps.extract(settings)
            steps.load(settings)
        return self.undisturbed[copied]

    def settings(self, name: str, *, copied: bool = False) -> Settings:
        """Settings with a lake and a data directory of their own, or with copies of what was read before."""
        target = self.tenant.settings.model_copy(
            update={"data_dir": self.folder / name, "lake_uri": self.store.uri(name)}
        )
        if copied:
            client = self.store.client()
            for key, data in self.store.tree("first").items():
                client.put_object(Bucket=BUCKET, Key=f"{name}/{key}", Body=data)
            target.data_dir.mkdir()
            for file in ("tenant.json", "warehouse.duckdb"):
                (target.data_dir / file).write_bytes((self.folder / "first" / file).read_bytes())
        return target


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("lake_on_s3")
    export_world(folder / "world", seed=7, scale=0.05)
    with faulty_store() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment().items():
            patch.setenv(name, value)
        with running(folder / "world", folder, entities=ENTITIES, checkpoint_seconds=0.0) as tenant:
            found = Place(tenant, store, folder)
            first = found.settings("first")
            steps.extract(first)
            steps.load(first)
            here = Tenant(tenant.address, first, folder)
            parts, units = here.ids("parts"), here.ids("part_inventories")
            tenant.change(
                *(update("parts", row_id, description="changed") for row_id in parts[:30]),
                *(update("partInventories", row_id, serialNumber=f"NEW-{row_id}") for row_id in units[:30]),
                delete("abomInstallations", here.ids("abom_installations")[3]),
            )
            yield found


@pytest.fixture(scope="module")
def killer(place: Place) -> Iterator[Mortal]:
    """A phase of a refresh in a process that can be killed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.tenant.address.environment().items():
            patch.setenv(name, value)
        with mortal(f"{__name__}:phase") as found:
            yield found


@pytest.fixture(autouse=True)
def _calm(place: Place) -> None:
    place.store.faults.clear()
    place.store.rhythm = repeat(None)
    place.store.happened.clear()


def phase(name: str, data_dir: str, lake_uri: str) -> None:
    # Standard output is where the process answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = load_settings(
        data_dir=Path(data_dir),
        lake_uri=lake_uri,
        entities=ENTITIES,
        page_size=50,
        checkpoint_seconds=0.0,
        duckdb_memory_limit=MEMORY,
    )
    {"extract": steps.extract, "load": steps.load}[name](settings)


def committed(lake: Lake) -> list[dict[str, list[str]]]:
    """The rows of each load by table, as sorted text, without which load it is and when it was read."""
    loads = []
    for manifest in lake.loads():
        rows: dict[str, list[str]] = {}
        with lake.checkout(manifest) as files:
            for table, parts in files.items():
                found = [row for path in parts for row in pq.ParquetFile(path).read().to_pylist()]
                stamps = {"_ion_load", "_ion_seen_at"}
                rows[table] = sorted(repr({k: v for k, v in row.items() if k not in stamps}) for row in found)
        loads.append(rows)
    return loads


def assert_same(found: Settings, wanted: Settings) -> None:
    lakes = committed(open_lake(found)), committed(open_lake(wanted))
    assert sum(len(rows) for table in lakes[1] for rows in table.values()) > 100
    assert lakes[0] == lakes[1]
    assert contents(found) == contents(wanted)
    kept, once = history(found.warehouse_path), history(wanted.warehouse_path)
    assert {name: len(rows) for name, rows in kept.items()} == {name: len(rows) for name, rows in once.items()}


@pytest.mark.parametrize(
    "copied",
    [pytest.param(True, id="a refresh"), pytest.param(False, id="a first read")],
)
def test_an_extraction_killed_at_random_points(copied: bool, place: Place, killer: Mortal) -> None:
    points = attempts(1, of=10)
    chance, kind = random.Random(points), f"extract-{copied}"
    wanted, timed = place.wanted(copied=copied), place.settings(f"{kind}-timed", copied=copied)
    whole = killer.run("extract", timed.data_dir, timed.lake_uri)
    assert whole
    for point in range(points):
        found = place.settings(f"{kind}-{point}", copied=copied)
        # Threads and the network make the number of calls differ a little.
        moment = chance.randrange(whole.moments // 10, whole.moments * 9 // 10)
        assert killer.run("extract", found.data_dir, found.lake_uri, moment=moment) is None
        steps.extract(found)
        steps.load(found)
        assert_same(found, wanted)


def test_a_load_killed_at_random_points(place: Place, killer: Mortal) -> None:
    points = attempts(1, of=10)
    chance, wanted = random.Random(points), place.wanted(copied=True)
    # The same lake for all of them: loading does not write to it.
    timed, *copies = [
        wanted.model_copy(update={"data_dir": place.folder / f"load-{point}"}) for point in range(points + 1)
    ]
    for copy in (timed, *copies):
        copy.data_dir.mkdir()
        for file in ("tenant.json", "warehouse.duckdb"):
            (copy.data_dir / file).write_bytes((place.folder / "first" / file).read_bytes())
    whole = killer.run("load", timed.data_dir, timed.lake_uri)
    assert whole
    for copy in copies:
        moment = chance.randrange(1, whole.moments * 9 // 10)
        assert killer.run("load", copy.data_dir, copy.lake_uri, moment=moment) is None
        steps.load(copy)
        assert_same(copy, wanted)


def test_a_refresh_with_a_fault_at_every_third_request(place: Place) -> None:
    wanted, found = place.wanted(copied=True), place.settings("rough", copied=True)
    kinds = [kind for kind in get_args(Kind) if kind not in {"expired", "forbidden", "unconditional", "late"}]
    place.store.rhythm = chain.from_iterable((None, None, kind) for kind in cycle(kinds))
    steps.extract(found)
    steps.load(found)
    place.store.rhythm = repeat(None)
    assert set(place.store.happened) == set(kinds)
    assert place.store.happened.total() > 20
    assert_same(found, wanted)


def test_a_store_that_fails_in_the_middle_ends_the_read_which_then_resumes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, found = place.wanted(copied=False), place.settings("failing")
    brief = Patience(timedelta(seconds=5), timedelta(seconds=0.5))
    monkeypatch.setattr("ion_pipeline.files.bucket.PATIENCE", brief)
    place.store.faults[:] = [Fault("slow down", "PUT", r"failing/.*parquet", skip=6, times=10_000)]
    with pytest.raises(StoreWriteError, match=r"could not be written: .* the store answers 503 SlowDown"):
        steps.extract(found)
    assert open_lake(found).load_ids() == []
    place.store.faults[:] = [Fault("expired", times=10_000)]
    with pytest.raises(ObjectStoreError, match="the credentials have expired"):
        steps.extract(found)
    place.store.faults.clear()
    before = [path for path in place.store.tree("failing") if path.endswith(".parquet")]
    assert before
    steps.extract(found)
    steps.load(found)
    assert set(before) & set(place.store.tree("failing")), "what was there is not read again"
    assert_same(found, wanted)
