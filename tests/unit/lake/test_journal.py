"""A load that was interrupted: when the next writer resumes it, and when it does not."""

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ion_pipeline.lake import Lake, LoadWriter, Resumption, TableRead, WriterOptions
from tests.examples import attempts
from tests.mortal import mortal
from tests.unit.lake.support import SCHEMAS, TENANT, commit, numbered, read, tree, write_numbers

BEGAN = datetime(2026, 3, 2, 3, 12, tzinfo=UTC)
PLAN = {"selection of entities": "parts", "schema at ION": "s1"}
READS = {"parts": TableRead("parts", "incremental")}


def begin(
    lake: Lake, plan: dict[str, str] = PLAN, *, now: datetime = BEGAN, within: timedelta | None = timedelta(hours=24)
) -> LoadWriter:
    options = WriterOptions(row_group_rows=10)
    resumption = Resumption(plan, within, checkpoint_seconds=0.0)
    return lake.begin(TENANT, SCHEMAS, started_at=now, resumption=resumption, options=options)


def note(writer: LoadWriter, **notes: Any) -> None:
    assert writer.checkpoints
    writer.checkpoints.notes = lambda: notes
    writer.checkpoint()


def killed(lake: Lake, folder: Path, work: Callable[[LoadWriter], object]) -> Lake:
    """The lake as a writer leaves it that is killed after some work: whatever is open stays half written."""
    with begin(lake) as writer:
        work(writer)
        # What a checkpoint began is done by the time that it dies; killed before that is `test_kill_9_again_and_again`.
        writer._background.drain()
        shutil.copytree(lake.location, folder / "left")
    return Lake(folder / "left")


def some_work(writer: LoadWriter) -> None:
    writer.write("parts", numbered(0, 25))
    writer.delete("parts", pa.RecordBatch.from_pydict({"id": [7]}))
    note(writer, read=25)
    writer.write("parts", numbered(25, 40))
    writer.write("runs", pa.RecordBatch.from_pydict({"id": [1]}))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_it_goes_on_from_the_last_checkpoint(lake: Lake, tmp_path: Path) -> None:
    left = killed(lake, tmp_path, some_work)
    assert left.load_ids() == []
    assert len([name for name in tree(tmp_path / "left") if name.endswith(".parquet")]) == 2
    with begin(left, now=BEGAN + timedelta(hours=23)) as writer:
        journal = writer.interrupted.journal
        assert journal
        assert (writer.load_id, writer.started_at) == (journal.load_id, BEGAN)
        assert journal.notes == {"read": 25}
        assert (journal.tables["parts"].rows, journal.tables["parts"].tombstones) == (25, 1)
        assert tree(tmp_path / "left") == {
            f"_staging/{writer.load_id}/_journal.json",
            f"_staging/{writer.load_id}/parts/part-00000.parquet",
        }
        ids = [row for batch in writer.interrupted_rows("parts", ["id", "_ion_deleted"]) for row in batch.to_pylist()]
        assert [(row["id"], row["_ion_deleted"]) for row in ids] == [*((n, False) for n in range(25)), (7, True)]
        writer.write("parts", numbered(25, 5))
        load = writer.commit(READS)
    (table,) = load.tables
    assert (load.load_id, load.started_at, table.rows, table.tombstones) == (journal.load_id, BEGAN, 30, 1)
    assert read(left, load)["id"].to_pylist() == [*range(25), 7, *range(25, 30)]
    assert {path.split("/")[0] for path in tree(tmp_path / "left")} == {"parts", "_loads"}
    with begin(left, now=BEGAN) as writer:
        assert writer.interrupted.journal is None
        assert writer.interrupted.refusal == ""


def test_it_goes_on_again_and_again(lake: Lake, tmp_path: Path) -> None:
    load_ids = set()
    for step in range(5):
        with begin(lake) as writer:
            load_ids.add(writer.load_id)
            writer.write("parts", numbered(step * 10, 10))
            note(writer, read=step)
            writer.suspend()
        with begin(lake) as writer:
            assert writer.interrupted.journal
            assert writer.interrupted.journal.notes == {"read": step}
            # Without a checkpoint nothing of this is kept.
            writer.write("parts", numbered(1000, 10))
            shutil.copytree(lake.location, tmp_path / f"{step}")
        lake = Lake(tmp_path / f"{step}")
    with begin(lake) as writer:
        load = writer.commit(READS)
    assert load_ids == {load.load_id}
    assert read(lake, load)["id"].to_pylist() == list(range(50))


def test_a_discarded_table_is_not_in_the_journal_any_more(lake: Lake, tmp_path: Path) -> None:
    def work(writer: LoadWriter) -> None:
        some_work(writer)
        note(writer, read=65)
        writer.discard("parts")

    with begin(killed(lake, tmp_path, work)) as writer:
        assert writer.interrupted.journal
        assert {name: table.rows for name, table in writer.interrupted.journal.tables.items()} == {"runs": 1}
        writer.write("parts", numbered(0, 3))
        load = writer.commit({"parts": TableRead("parts"), "runs": TableRead("runs")})
    assert {table.table: table.rows for table in load.tables} == {"parts": 3, "runs": 1}


def test_killed_while_it_commits(lake: Lake, tmp_path: Path) -> None:
    left = killed(lake, tmp_path, some_work)
    root = tmp_path / "left"
    (staged,) = (root / "_staging").iterdir()
    (root / "parts").mkdir()
    (staged / "parts").rename(root / "parts" / f"load={staged.name}")
    with begin(left) as writer:
        assert writer.interrupted.journal
        assert not (root / "parts" / f"load={staged.name}").exists()
        load = writer.commit(READS)
    assert read(left, load)["id"].to_pylist() == [*range(25), 7]


def other_plan(_: Path) -> dict[str, Any]:
    return {"plan": {**PLAN, "schema at ION": "s2", "kind of read": "changes"}}


def too_late(_: Path) -> dict[str, Any]:
    return {"now": BEGAN + timedelta(hours=25)}


def not_wanted(_: Path) -> dict[str, Any]:
    return {"within": None}


def damaged(root: Path) -> dict[str, Any]:
    part = next((root / "_staging").rglob("part-00000.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    return {}


def lost(root: Path) -> dict[str, Any]:
    next((root / "_staging").rglob("part-00000.parquet")).unlink()
    return {}


def unreadable(root: Path) -> dict[str, Any]:
    next((root / "_staging").rglob("_journal.json")).write_text("{}")
    return {}


def overtaken(root: Path) -> dict[str, Any]:
    (staged,) = (root / "_staging").iterdir()
    shutil.move(staged, root / "elsewhere")
    commit(Lake(root), numbered(1, 1))
    (root / "_staging").mkdir(exist_ok=True)
    shutil.move(root / "elsewhere", staged)
    return {}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (other_plan, "another schema at ION and another kind of read"),
        (too_late, "more than 24 hours ago"),
        (not_wanted, "begin afresh"),
        (damaged, "checksum"),
        (lost, "is missing from the lake"),
        (unreadable, "its journal"),
        (overtaken, "a later load"),
    ],
)
def test_what_does_not_fit_is_swept_and_the_reason_said(
    spoil: Callable[[Path], dict[str, Any]], why: str, lake: Lake, tmp_path: Path
) -> None:
    left = killed(lake, tmp_path, some_work)
    changes = spoil(tmp_path / "left")
    committed = left.load_ids()
    with begin(left, **changes) as writer:
        assert writer.interrupted.journal is None
        assert why in writer.interrupted.refusal
        assert not list((tmp_path / "left" / "_staging").iterdir())
        assert writer.started_at == changes.get("now", BEGAN)
        writer.write("parts", numbered(0, 1))
        load = writer.commit(READS)
    assert left.load_ids() == [*committed, load.load_id]
    assert read(left, load).num_rows == 1


def test_a_writer_without_a_plan_takes_nothing_over(lake: Lake, tmp_path: Path) -> None:
    left = killed(lake, tmp_path, some_work)
    load = commit(left, numbered(1, 2))
    assert read(left, load).num_rows == 2
    assert not [path for path in tree(tmp_path / "left") if path.startswith("_staging")]


def test_checkpoints_become_rarer_the_longer_it_takes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("ion_pipeline.lake.journal.time.monotonic", lambda: clock[0])
    written = []
    resumption = Resumption(PLAN, checkpoint_seconds=5.0)
    with lake.begin(TENANT, SCHEMAS, resumption=resumption) as writer:
        assert writer.checkpoints
        writer.checkpoints.notes = lambda: written.append(clock[0]) or {}  # type: ignore[func-returns-value]
        for second in range(36_000):
            clock[0] = float(second)
            writer.checkpoint()
    assert written[:3] == [5.0, 10.0, 15.0]
    assert len(written) < 310
    # Never more than five seconds or a fiftieth, to the second.
    gaps = [(later - before, later) for before, later in pairwise(written)]
    assert all(gap <= max(5.0, at / 50 + 1) for gap, at in gaps)


def read_numbers(location: str) -> int:
    """Read 600 numbers from wherever an interrupted read stopped; return where that was."""
    resumption = Resumption({"what": "numbers"}, checkpoint_seconds=0.0)
    with Lake(location).begin(TENANT, SCHEMAS, resumption=resumption) as writer:
        return write_numbers(writer)


@pytest.mark.slow
def test_kill_9_again_and_again_until_one_is_through(tmp_path: Path) -> None:
    chance, resumed = random.Random(3), 0
    with mortal(f"{__name__}:read_numbers") as reader:
        whole = reader.run(tmp_path / "whole")
        assert whole
        assert whole.value == 0
        for attempt in range(attempts(2, of=6)):
            folder = tmp_path / f"{attempt}"
            for _ in range(2):
                if done := reader.run(folder, moment=chance.randrange(whole.moments // 3, whole.moments)):
                    break
            else:
                done = reader.run(folder)
            assert done
            resumed += done.value > 0
            lake = Lake(folder)
            (load,) = lake.loads()
            for table in ("parts", "runs"):
                assert read(lake, load, table)["id"].to_pylist() == list(range(600))
            lake.verify(load)
            assert not [path for path in tree(folder) if path.startswith("_staging")]
    assert resumed
