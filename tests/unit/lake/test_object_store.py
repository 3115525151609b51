"""The lake in an object store: no renames, several machines, and requests that fail at any step."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from ion_pipeline.errors import SettingsError, TenantMismatchError
from ion_pipeline.files import LockedError, ObjectStoreError
from ion_pipeline.files.bucket import Bucket, Patience
from ion_pipeline.files.errors import StoreWriteError
from ion_pipeline.files.storage import LocalStorage
from ion_pipeline.lake import Lake, LakeCorruptionError, LoadWriter, Resumption, TableRead, Tenant, WriterOptions
from ion_pipeline.lake.place import open_place
from tests.faulty_store import Fault, FaultyStore
from tests.mortal import mortal
from tests.unit.lake.support import PARTS, SCHEMAS, TENANT, commit, numbered, read, write_numbers

BEGAN = datetime(2026, 3, 2, 3, 12, tzinfo=UTC)
pytestmark = pytest.mark.slow

READS = {"parts": TableRead("parts")}
prefixes = count()


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ion_pipeline.files.bucket.PATIENCE", Patience(timedelta(seconds=5), timedelta(seconds=1)))


@pytest.fixture
def prefix() -> str:
    return f"lake-{next(prefixes)}"


@pytest.fixture
def lake(store: FaultyStore, prefix: str, tmp_path: Path) -> Lake:
    return Lake(store.uri(prefix), lock_file=tmp_path / "lake.lock")


def begin(lake: Lake, kind: str = "all", *, within: timedelta | None = timedelta(hours=24)) -> LoadWriter:
    resumption = Resumption({"what": kind}, within, checkpoint_seconds=0.0)
    return lake.begin(
        TENANT, SCHEMAS, started_at=BEGAN, resumption=resumption, options=WriterOptions(row_group_rows=10)
    )


def elsewhere(lake: Lake) -> Lake:
    """The same lake on a machine on which the first one's lease has just ended."""
    found = Bucket(lake.location).found("_writer.lock")
    assert found
    Bucket(lake.location).put("_writer.lock", found.data.replace(b'"is_held":true', b'"is_held":false'))
    return Lake(lake.location)


def files(store: FaultyStore, prefix: str) -> set[str]:
    """What is in the store, without the lock and the object that the clock is read from."""
    return {name for name in store.tree(prefix) if name not in {"_writer.lock", "_clock"}}


def files_of(lake: Lake) -> set[str]:
    """What the committed loads consist of."""
    found = set[str]()
    for load in lake.loads():
        found |= {f"_loads/{load.load_id}.json", *(entry.path for entry in load.files)}
        found |= {f"{table.table}/load={load.load_id}/_manifest.json" for table in load.tables}
    return found


def test_a_load_is_written_and_read_back(lake: Lake, store: FaultyStore, prefix: str) -> None:
    assert lake.loads() == []
    load = commit(lake, numbered(1, 1000))
    second = commit(lake, numbered(1, 10))
    assert lake.loads() == [load, second]
    assert read(lake, load)["id"].to_pylist() == list(range(1, 1001))
    with lake.checkout(load) as copies:
        assert all(path.is_file() for path in copies["parts"])
    assert not any(path.exists() for path in copies["parts"])
    assert files(store, prefix) == files_of(lake)


def test_a_document_is_asked_for_once_on_this_machine(lake: Lake, store: FaultyStore, tmp_path: Path) -> None:
    loads = [commit(lake, numbered(first, 1)) for first in (1, 2, 3)]

    def asked() -> list[str]:
        before = len(store.asked)
        assert Lake(lake.location, lock_file=tmp_path / "elsewhere" / "lake.lock").loads() == loads
        return [key.rpartition("/")[2] for method, key in store.asked[before:] if key.endswith(".json")]

    assert asked() == [f"{load.load_id}.json" for load in loads]
    assert asked() == []
    with lake.begin_snapshot(1) as writer:
        writer.write("parts", [numbered(1, 2)], PARTS, TableRead("parts"))
        loads = [writer.commit(), loads[2]]
    assert asked() == [f"{loads[0].load_id}.fold.json"]
    assert asked() == []
    # The documents that the snapshot replaces are still there.
    assert len(list((tmp_path / "elsewhere" / "lake_documents").rglob("*.json"))) == 4


def test_a_missing_or_altered_object_is_named(lake: Lake, store: FaultyStore) -> None:
    load = commit(lake, numbered(1, 10))
    path = load.tables[0].files[0].path
    Bucket(lake.location).put(path, b"other")
    with pytest.raises(LakeCorruptionError, match=f"{lake.location}/{path} is corrupt"):
        lake.verify(load)
    Bucket(lake.location).remove(path)
    with pytest.raises(LakeCorruptionError, match=f"{lake.location}/{path} is missing from the lake"):
        lake.verify(load)
    # An object that cannot be read now is not damaged.
    store.faults[:] = [Fault("reset", "GET", times=10_000)]
    with pytest.raises(ObjectStoreError, match="does not answer"):
        lake.verify(load)


def test_a_second_machine_waits_and_another_tenant_is_refused(lake: Lake) -> None:
    commit(lake, numbered(1, 10))
    with begin(lake), pytest.raises(LockedError, match="is in use by process"):
        Lake(lake.location).begin(TENANT, SCHEMAS)
    with pytest.raises(TenantMismatchError, match="holds the data of organisation org-1"):
        lake.begin(Tenant("org-2", "api.example.com"), SCHEMAS)
    with begin(lake) as writer:
        writer.commit(READS)


STEPS: list[tuple[str, Callable[[LoadWriter], object]]] = [
    ("nothing", lambda _: None),
    ("rows", lambda writer: writer.write("parts", numbered(0, 25))),
    ("a checkpoint", lambda writer: (writer.write("parts", numbered(0, 25)), writer.checkpoint())),
]


@pytest.mark.parametrize("resumes", [False, True])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=[name for name, _ in STEPS])
def test_a_writer_that_was_stopped_cannot_commit_over_another(
    resumes: bool, step: int, lake: Lake, store: FaultyStore, prefix: str
) -> None:
    """It neither makes visible what the other one has deleted, nor deletes what the other one has made visible."""
    stopped, (what, work) = begin(lake), STEPS[step]
    work(stopped)
    stopped._background.drain()
    with begin(elsewhere(lake), "all" if resumes else "changes") as other:
        assert (other.interrupted.journal is not None) == (resumes and what == "a checkpoint")
        other.write("parts", numbered(100, 5))
        load = other.commit(READS)
    # The lease's renewal has not failed yet: only the condition of the commit protects the lake.
    with pytest.raises(StoreWriteError, match="has been written by another process"):
        stopped.commit(READS)
    stopped.abort()
    assert lake.loads() == [load]
    lake.verify(load)
    commit(lake, numbered(1, 1))
    assert files(store, prefix) == files_of(lake)


@pytest.mark.parametrize("resumes", [False, True])
def test_a_writer_that_was_stopped_and_gives_up_deletes_nothing(resumes: bool, lake: Lake) -> None:
    stopped = begin(lake)
    stopped.write("parts", numbered(0, 25))
    stopped.checkpoint()
    stopped._background.drain()
    with begin(elsewhere(lake), "all" if resumes else "changes") as other:
        other.write("parts", numbered(100, 5))
        stopped.abort()
        load = other.commit(READS)
    assert lake.loads() == [load]
    lake.verify(load)
    assert load.rows == (30 if resumes else 5)


def test_a_commit_on_its_way_while_another_machine_writes_is_refused(lake: Lake, store: FaultyStore) -> None:
    stopped = begin(lake)
    stopped.write("parts", numbered(0, 25))
    store.faults[:] = [Fault("late", "PUT", "_loads/", times=1)]
    failures: list[Exception] = []

    def finish() -> None:
        try:
            stopped.commit(READS)
        except StoreWriteError as error:
            failures.append(error)

    thread = threading.Thread(target=finish)
    thread.start()
    while store.faults[0].times:
        thread.join(0.01)
    load = commit(elsewhere(lake), numbered(1, 10))
    store.release.set()
    thread.join()
    assert len(failures) == 1
    assert lake.loads() == [load]


@pytest.mark.parametrize(
    ("kind", "every"),
    [
        ("stored, error", 8),
        ("half received", 8),
        *(pytest.param(kind, 1, marks=pytest.mark.exhaustive) for kind in ("stored, error", "stored, lost", "reset")),
    ],
)
def test_a_fault_at_each_request_of_a_load_changes_nothing(
    kind: str, every: int, lake: Lake, store: FaultyStore, prefix: str
) -> None:
    def load(which: Lake) -> None:
        with begin(which) as writer:
            writer.write("parts", numbered(0, 25))
            writer.checkpoint()
            writer.write("parts", numbered(25, 40))
            writer.commit(READS)

    before = store.requests.total()
    load(lake)
    asked = store.requests.total() - before
    assert asked > 15
    for position in range(0, asked, every):
        again = Lake(store.uri(f"{prefix}-{position}"))
        store.faults[:] = [Fault(kind, skip=position)]  # type: ignore[arg-type]
        load(again)
        assert not store.faults[0].times
        store.faults.clear()
        (committed,) = again.loads()
        assert read(again, committed)["id"].to_pylist() == list(range(65))
        assert files(store, f"{prefix}-{position}") == files_of(again)


@pytest.mark.parametrize("at", ["parts/load=", "_journal.json", "_loads/"])
def test_when_the_store_fails_what_was_read_is_kept(at: str, lake: Lake, store: FaultyStore, prefix: str) -> None:
    with pytest.raises(StoreWriteError, match="the store does not answer"), begin(lake) as writer:  # noqa: PT012
        writer.write("parts", numbered(0, 25))
        writer.checkpoint()
        writer._background.drain()
        store.faults[:] = [Fault("reset", "PUT", at, times=10_000)]
        writer.write("parts", numbered(25, 40))
        writer.checkpoint()
        writer.commit(READS)
    store.faults.clear()
    assert lake.load_ids() == []
    with begin(lake) as writer:
        journal = writer.interrupted.journal
        assert journal
        there = journal.tables["parts"].rows
        assert there in {25, 65}
        writer.write("parts", numbered(there, 65 - there))
        load = writer.commit(READS)
    assert read(lake, load)["id"].to_pylist() == list(range(65))
    assert files(store, prefix) == files_of(lake)


def test_a_load_that_is_given_up_leaves_nothing(lake: Lake, store: FaultyStore, prefix: str) -> None:
    with pytest.raises(ZeroDivisionError), begin(lake) as writer:  # noqa: PT012
        writer.write("parts", numbered(0, 25))
        writer.checkpoint()
        writer._background.drain()
        assert len(files(store, prefix)) == 3
        _ = 1 // 0
    assert files(store, prefix) == set()


def test_files_that_a_snapshot_replaces_stay_as_long_as_a_reader_may_take(
    lake: Lake, store: FaultyStore, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = [commit(lake, numbered(first, 3)) for first in (1, 10, 20)]
    with lake.begin_snapshot(1) as writer:
        assert lake.loads() == loads, "a snapshot that is being written is not there yet"
        schema = PARTS
        writer.write("parts", [numbered(1, 3), numbered(10, 3)], schema, TableRead("parts"))
        snapshot = writer.commit()
    assert [load.load_id for load in lake.loads()] == [snapshot.load_id, loads[2].load_id]
    for load in loads:
        lake.verify(load)
    monkeypatch.setattr("ion_pipeline.lake.vacuum.GRACE", timedelta(seconds=-30))
    commit(lake, numbered(30, 1))
    with pytest.raises(LakeCorruptionError, match="is missing"):
        lake.verify(loads[0])
    assert [load.rows for load in lake.loads()] == [6, 3, 1]
    left = {name for name in files(store, prefix) if loads[0].load_id in name or "fold" in name}
    assert left == {f"_loads/{snapshot.load_id}.fold.json", *(entry.path for entry in snapshot.files)}


def test_a_snapshot_of_a_writer_that_was_stopped_replaces_nothing(lake: Lake) -> None:
    loads = [commit(lake, numbered(first, 3)) for first in (1, 10)]
    stopped = lake.begin_snapshot(0)
    stopped.write("parts", [numbered(1, 3)], PARTS, TableRead("parts"))
    third = commit(elsewhere(lake), numbered(20, 3))
    with pytest.raises(StoreWriteError, match="by another process"):
        stopped.commit()
    stopped.abort()
    assert lake.loads() == [*loads, third]
    for load in lake.loads():
        lake.verify(load)


def read_numbers(location: str, lock_file: str) -> int:
    """Read 600 numbers from wherever an interrupted read stopped; return where that was."""
    with begin(Lake(location, lock_file=Path(lock_file))) as writer:
        return write_numbers(writer)


@pytest.mark.exhaustive
def test_kill_9_again_and_again_until_one_is_through(store: FaultyStore, prefix: str, tmp_path: Path) -> None:
    chance, resumed = random.Random(7), 0
    with mortal(f"{__name__}:read_numbers") as reader:
        whole = reader.run(store.uri(f"{prefix}-whole"), tmp_path / "lock")
        assert whole
        assert whole.value == 0
        for attempt in range(10):
            uri = store.uri(f"{prefix}-{attempt}")
            for _ in range(2):
                moment = chance.randrange(whole.moments // 4, whole.moments)
                if done := reader.run(uri, tmp_path / "lock", moment=moment):
                    break
            else:
                done = reader.run(uri, tmp_path / "lock")
            assert done
            resumed += done.value > 0
            lake = Lake(uri)
            (load,) = lake.loads()
            assert read(lake, load)["id"].to_pylist() == list(range(600))
            assert read(lake, load, "runs")["id"].to_pylist() == list(range(600))
            assert files(store, f"{prefix}-{attempt}") >= files_of(lake)
    assert resumed


def test_paths_and_file_uris_are_local(tmp_path: Path) -> None:
    for location in (tmp_path, str(tmp_path), f"file://{tmp_path}"):
        storage = open_place(location)
        assert isinstance(storage, LocalStorage)
        assert storage.root == tmp_path


def test_other_schemes_are_refused() -> None:
    with pytest.raises(SettingsError, match="neither a folder nor the URI of an object store"):
        open_place("mock://bucket")
