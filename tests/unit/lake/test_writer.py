import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ulid import ULID

from ion_pipeline.files import FileWriteError
from ion_pipeline.lake import Lake, TableRead, WriterOptions
from ion_pipeline.lake.background import Background
from ion_pipeline.lake.manifest import from_json
from ion_pipeline.lake.part import TableWriter
from ion_pipeline.lake.writer import LoadWriter
from tests.unit.lake.support import PARTS, SCHEMAS, TENANT, commit, numbered, parts, read, tree

ROWS = [
    {"id": 1, "name": "", "price": 0.1, "is_active": True, "_updated": datetime(2026, 3, 1, 8, 15, 0, 123456, UTC)},
    {"id": 2, "name": "a\nb\r\nc\td", "tags": []},
    {"id": 3, "name": "Ω漢字 \U0001f469\u200d\U0001f680 \u202eabc \x00 end", "tags": ["x", None, ""]},
    {"id": 4, "name": "long " * 210_000, "price": float("inf"), "is_active": False},
    {"id": -5, "name": None, "price": None, "is_active": None, "_updated": None, "tags": None},
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_rows_come_back_as_they_were_written(lake: Lake) -> None:
    before = datetime.now(UTC)
    load = commit(lake, parts(*ROWS[:2]), parts(*ROWS[2:]))
    found = read(lake, load).to_pylist()
    assert len(found) == len(ROWS)
    for row, wanted in zip(found, ROWS, strict=True):
        assert {name: row[name] for name in PARTS.names} == {name: wanted.get(name) for name in PARTS.names}
        assert row["_ion_load"] == load.load_id
        assert row["_ion_deleted"] is False
        assert before - timedelta(seconds=1) <= row["_ion_seen_at"] <= datetime.now(UTC)


def test_tombstones_hold_the_key_and_nothing_else(lake: Lake) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer:
        writer.write("parts", numbered(1, 2))
        writer.delete("parts", pa.record_batch({"id": pa.array([8, 9], pa.int64())}))
        load = writer.commit({"parts": TableRead("parts", strategy="incremental")})
    assert (load.tables[0].rows, load.tables[0].tombstones) == (2, 2)
    found = [(row["id"], row["name"], row["_ion_deleted"]) for row in read(lake, load).to_pylist()]
    assert found == [(1, "part 1", False), (2, "part 2", False), (8, None, True), (9, None, True)]


def test_a_table_without_rows_is_known_to_be_empty(lake: Lake) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer:
        load = writer.commit({"parts": TableRead("parts"), "runs": TableRead("runs", total_count=0)})
    assert [(table.table, table.rows, len(table.files)) for table in load.tables] == [("parts", 0, 1), ("runs", 0, 1)]
    empty = read(lake, load)
    assert empty.num_rows == 0
    assert empty.schema.names == [*PARTS.names, "_ion_deleted", "_ion_load", "_ion_seen_at"]


def test_the_manifest_is_what_was_committed(lake: Lake, tmp_path: Path) -> None:
    read_at = datetime(2026, 3, 1, tzinfo=UTC)
    how = TableRead("parts", total_count=3, query_hash="q1", until=read_at - timedelta(minutes=5))
    with lake.begin(TENANT, SCHEMAS, started_at=read_at, schema_hash="s1") as writer:
        writer.write("parts", numbered(1, 3))
        load = writer.commit({"parts": how}, requests=7, bytes_received=1234)
    assert lake.loads() == [load]
    assert (load.tenant, load.started_at, load.schema_hash, load.requests, load.bytes_received) == (
        TENANT,
        read_at,
        "s1",
        7,
        1234,
    )
    assert (load.tables[0].read, load.rows, load.strategy) == (how, 3, "full")
    entry = load.tables[0].files[0]
    path = tmp_path / "lake" / entry.path
    assert (path.stat().st_size, pq.read_metadata(path).num_rows) == (entry.bytes, entry.rows)
    beside = (path.parent / "_manifest.json").read_bytes()
    assert from_json(beside, "beside") == load.only(load.tables[0])


def test_large_tables_roll_over_to_more_files_and_keep_their_order(lake: Lake) -> None:
    options = WriterOptions(row_group_rows=1000, part_bytes=15_000)
    with lake.begin(TENANT, SCHEMAS, options=options) as writer:
        for first in range(0, 10_000, 500):
            writer.write("parts", numbered(first, 500))
        load = writer.commit({"parts": TableRead("parts")})
    files = load.tables[0].files
    assert len(files) > 2
    assert sum(entry.rows for entry in files) == 10_000
    assert read(lake, load)["id"].to_pylist() == list(range(10_000))


def test_memory_is_bounded_over_all_tables(lake: Lake) -> None:
    names = [f"t{number}" for number in range(20)]
    limit = 2 << 20
    batch = parts(*({"id": number, "name": "x" * 1000} for number in range(200)))
    before = pa.total_allocated_bytes()
    worst = 0
    with lake.begin(TENANT, dict.fromkeys(names, PARTS), options=WriterOptions(buffer_bytes=limit)) as writer:
        for _ in range(10):
            for name in names:
                writer.write(name, parts(*batch.to_pylist()))
                worst = max(worst, pa.total_allocated_bytes() - before)
        load = writer.commit({name: TableRead(name) for name in names})
    assert sum(entry.bytes for table in load.tables for entry in table.files) > 0
    assert load.rows == 20 * 10 * 200  # 40 MB of text
    assert worst < 4 * limit


@pytest.mark.parametrize("pages", [100, 1000])
def test_rows_held_stay_below_the_bound_however_slow_the_disk(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    limit, page = 1 << 20, parts(*({"id": number, "name": "x" * 1000} for number in range(50)))
    # Nothing is written before somebody waits for it, which is as slow as a disk can be.
    someone_waits, wait, write = threading.Event(), Background.wait, TableWriter._write

    def wait_and_say_so(self: Background, at_most_bytes: int) -> None:
        if self.held_bytes > at_most_bytes:
            someone_waits.set()
        wait(self, at_most_bytes)

    def write_when_waited_for(self: TableWriter, rows: pa.Table) -> None:
        someone_waits.wait(timeout=60)
        write(self, rows)
        someone_waits.clear()

    monkeypatch.setattr(Background, "wait", wait_and_say_so)
    monkeypatch.setattr(TableWriter, "_write", write_when_waited_for)
    worst = 0
    with lake.begin(TENANT, SCHEMAS, options=WriterOptions(buffer_bytes=limit)) as writer:
        for _ in range(pages):
            writer.write("parts", page)
            waiting = sum(table.buffered_bytes for table in writer._tables.values())
            worst = max(worst, waiting + writer._background.held_bytes)
        someone_waits.set()
        monkeypatch.setattr(TableWriter, "_write", write)
        load = writer.commit({"parts": TableRead("parts")})
    assert load.rows == pages * 50
    assert limit // 2 < worst <= limit


NEXT_CALLS: dict[str, Callable[[LoadWriter], object]] = {
    "more rows": lambda writer: writer.write("parts", numbered(4, 3)),
    "rows of another table": lambda writer: writer.write("runs", pa.record_batch({"id": pa.array([1], pa.int64())})),
    "the end of the load": lambda writer: writer.commit({"parts": TableRead("parts")}),
}


@pytest.mark.parametrize("call", NEXT_CALLS.values(), ids=NEXT_CALLS.keys())
def test_what_fails_beside_is_raised_by_the_next_call_by_its_name_and_ends_the_load(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[LoadWriter], object]
) -> None:
    before = tree(tmp_path)
    is_accepted = threading.Event()

    def full(self: TableWriter, rows: pa.Table) -> None:
        is_accepted.wait(timeout=60)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableWriter, "_write", full)
    writer = lake.begin(TENANT, SCHEMAS, options=WriterOptions(row_group_rows=1))
    writer.write("parts", numbered(1, 3))
    is_accepted.set()
    assert writer._background._queue[0][0].exception(timeout=60)
    with pytest.raises(FileWriteError, match="No space left while writing parts of load "):
        call(writer)
    with pytest.raises(FileWriteError, match="has ended"):
        writer.write("parts", numbered(7, 3))
    assert lake.loads() == []
    assert tree(tmp_path) == before


def test_an_exception_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    first = commit(lake, numbered(1, 3))
    before = tree(tmp_path)

    def interrupted() -> None:
        with lake.begin(TENANT, SCHEMAS) as writer:
            writer.write("parts", numbered(1, 3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert lake.loads() == [first]
    assert tree(tmp_path) == before


def test_leaving_without_a_commit_abandons_the_load(lake: Lake, tmp_path: Path) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer:
        writer.write("parts", numbered(1, 3))
    assert tree(tmp_path) == set()
    with pytest.raises(FileWriteError, match="has ended"):
        writer.write("parts", numbered(1, 3))
    with pytest.raises(FileWriteError, match="has ended"):
        writer.commit({})


def test_a_failing_commit_takes_back_what_it_had_moved(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = commit(lake, numbered(1, 3))
    files = tree(tmp_path)
    writer = lake.begin(TENANT, SCHEMAS)
    writer.write("parts", numbered(1, 3))
    storage = writer._storage
    put = storage.put

    def full_at_the_last(path: str, data: bytes) -> None:
        put(path, data)
        if path.startswith("_loads/"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "put", full_at_the_last)
    with pytest.raises(FileWriteError, match="No space left"):
        writer.commit({"parts": TableRead("parts")})
    assert lake.loads() == [before]
    assert tree(tmp_path) == files


@pytest.mark.parametrize(
    ("batch", "complaint"),
    [
        (pa.record_batch({"id": pa.array([1], pa.int64())}), "missing: name, price"),
        (pa.record_batch({**{f: parts({"id": 1})[f] for f in PARTS.names}, "x": [1]}), "unexpected: x"),
        (
            parts({"id": 1}).set_column(0, pa.field("id", pa.string()), pa.array(["1"])),
            r"another type: id \(string for int64\)",
        ),
        (parts({"id": 1}).select(list(reversed(PARTS.names))), "another order"),
    ],
)
def test_rows_of_another_shape_are_refused(lake: Lake, batch: pa.RecordBatch, complaint: str) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer, pytest.raises(FileWriteError, match=complaint):
        writer.write("parts", batch)


def test_unknown_and_unexplained_tables_are_refused(lake: Lake) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer:
        with pytest.raises(FileWriteError, match="nonsense is not a table"):
            writer.write("nonsense", numbered(1, 1))
        writer.write("parts", numbered(1, 1))
        with pytest.raises(FileWriteError, match="rows of parts but not how"):
            writer.commit({"runs": TableRead("runs")})
    assert lake.loads() == []


def test_a_full_read_has_no_tombstones(lake: Lake) -> None:
    with lake.begin(TENANT, SCHEMAS) as writer:
        writer.delete("parts", pa.record_batch({"id": pa.array([1], pa.int64())}))
        with pytest.raises(FileWriteError, match="tombstones in full reads: parts"):
            writer.commit({"parts": TableRead("parts")})


def test_a_discarded_table_begins_anew(lake: Lake, tmp_path: Path) -> None:
    with lake.begin(TENANT, SCHEMAS, options=WriterOptions(row_group_rows=100, part_bytes=1)) as writer:
        writer.discard("parts")
        for first in (0, 100, 250):
            writer.write("parts", numbered(first, 150))
        writer.delete("parts", pa.record_batch({"id": pa.array([1], pa.int64())}))
        writer.discard("parts")
        assert tree(tmp_path) == set()
        writer.write("parts", numbered(7, 3))
        writer.write("runs", pa.record_batch({"id": pa.array([1], pa.int64())}))
        writer.discard("runs")
        load = writer.commit({"parts": TableRead("parts")})
    assert [(table.table, table.rows, table.tombstones) for table in load.tables] == [("parts", 3, 0)]
    assert read(lake, load)["id"].to_pylist() == [7, 8, 9]
    lake.verify(load)
    assert all("/runs/" not in name for name in tree(tmp_path))


def test_ids_rise_even_when_the_clock_falls_back(lake: Lake, tmp_path: Path) -> None:
    first = commit(lake, numbered(1, 1))
    ahead = str(ULID.from_datetime(datetime.now(UTC) + timedelta(days=3)))
    loads = tmp_path / "lake" / "_loads"
    text = (loads / f"{first.load_id}.json").read_text().replace(first.load_id, ahead)
    (loads / f"{first.load_id}.json").unlink()
    (loads / f"{ahead}.json").write_text(text)
    (tmp_path / "lake" / "parts" / f"load={first.load_id}").rename(tmp_path / "lake" / "parts" / f"load={ahead}")
    second = commit(lake, numbered(1, 1))
    third = commit(lake, numbered(1, 1))
    assert ahead < second.load_id < third.load_id
    assert lake.load_ids() == [ahead, second.load_id, third.load_id]


def test_the_next_writer_sweeps_what_a_killed_one_left(lake: Lake, tmp_path: Path) -> None:
    load = commit(lake, numbered(1, 3))
    kept = tree(tmp_path)
    root = tmp_path / "lake"
    for leftover in (
        "_staging/01X/parts/part-00000.parquet",
        "parts/load=01X/part-00000.parquet",
        "_loads/01X.json.9.tmp",
    ):
        (root / leftover).parent.mkdir(parents=True, exist_ok=True)
        (root / leftover).write_bytes(b"half")
    assert lake.loads() == [load]
    lake.begin(TENANT, SCHEMAS).abort()
    assert tree(tmp_path) == kept


def test_threads_may_write_at_once(lake: Lake) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def feed(writer: LoadWriter, first: int) -> None:
        for step in range(20):
            writer.write("parts", numbered(first + step * 10, 10))

    with lake.begin(TENANT, SCHEMAS, options=WriterOptions(row_group_rows=50)) as writer:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda first: feed(writer, first), (0, 1000, 2000, 3000)))
        load = writer.commit({"parts": TableRead("parts")})
    assert load.rows == 800
    assert sorted(read(lake, load)["id"].to_pylist()) == [
        first + number for first in (0, 1000, 2000, 3000) for number in range(200)
    ]
