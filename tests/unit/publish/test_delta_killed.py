"""A publish that ends at any moment leaves the versions that `latest.json` names; the next one mends the tables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from ion_pipeline.counting import Count
from ion_pipeline.files.storage import LocalStorage
from ion_pipeline.publish import PublishError, publish, send, settle
from ion_pipeline.warehouse import Resources
from tests.delta_readers import by_delta_rs, in_file
from tests.mortal import mortal
from tests.unit.publish.support import change, files, named

pytestmark = pytest.mark.slow

SMALL = Resources("256MB", 1)
TABLES = ("reference.parts", "reference.users")


class Killed(BaseException):
    """Simulates kill -9: no clause for a specific exception catches it."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    change(path, "create schema reference")
    for name in TABLES:
        change(path, f"create table {name} as select 0 as generation")
    return path


def publish_delta(database: str) -> None:
    """What `mortal` runs."""
    publish(Path(database), Path(database).parent / "published", formats=("parquet", "delta"), resources=SMALL)


def next_generation(database: Path, generation: int) -> None:
    for name in TABLES:
        change(database, f"update {name} set generation = {generation}")  # noqa: S608 -- the names above


def generation_of(published: Path) -> int:
    """What the tables hold in the versions that `latest.json` names: the same generation in all."""
    tables = named(published / "latest.json")
    assert set(tables) == set(TABLES)
    found = {row for delta in tables.values() for row in by_delta_rs(published / delta["path"], delta["version"])}
    assert len(found) == 1, f"tables of two publishes: {found}"
    return int(found.pop().strip("[]"))


def newest(published: Path) -> list[int]:
    """The generation of each table for a reader that opens the newest version."""
    rows = [DeltaTable(str(published / "delta" / name.replace(".", "/"))).to_pyarrow_table() for name in TABLES]
    return [row["generation"][0].as_py() for row in rows]


def check_mended(database: Path, generation: int) -> None:
    """The next publish leaves nothing of the one that was killed; readers with and without `latest.json` agree."""
    published = database.parent / "published"
    publish_delta(str(database))
    assert generation_of(published) == generation
    assert newest(published) == [generation, generation]
    assert in_file(published / "ion.duckdb", "reference.parts") == [f"[{generation}]"]
    kept = [named(path) for path in (published / "publishes").glob("*/latest.json")]
    for name in TABLES:
        data = {file["file"].removeprefix("delta/") for tables in kept for file in tables[name]["files"]}
        folder = name.replace(".", "/")
        found = {path for path in files(published / "delta") if path.startswith(f"{folder}/")}
        assert {path for path in found if "_delta_log" not in path} == data
        assert not [path for path in found if path.endswith(".tmp")]


@contextmanager
def killed_at(moment: int, patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Simulate a kill instead of a renaming; all names of files appear by renaming."""
    replace, seen = os.replace, list[str]()

    def counted(source: Any, target: Any) -> None:
        seen.append(str(target))
        if len(seen) == moment:
            raise Killed
        replace(source, target)

    with patch.context() as patched:
        patched.setattr(os, "replace", counted)
        yield seen


def test_each_name_that_appears(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = tmp_path / "published"
    publish_delta(str(database))
    next_generation(database, 1)
    with killed_at(0, monkeypatch) as names:
        publish_delta(str(database))
    # Both data files, both entries, both checkpoints twice, then the links.
    steps = ["/".join(Path(name).relative_to(published).parts[:1]) for name in names]
    assert steps == ["delta"] * 8 + [
        "parquet",
        "data_dictionary.json",
        "data_dictionary.md",
        "ion.duckdb",
        "latest.json",
    ]
    entries = [name.endswith(".json") for name in names[:8]]
    assert entries == [False] * 2 + [True] * 2 + [False] * 4
    mixed = 0
    # Between the entries of the two tables, and before `latest.json` names the versions.
    for generation, moment in enumerate((4, len(names)), start=2):
        next_generation(database, generation)
        with killed_at(moment, monkeypatch), pytest.raises(Killed):
            publish_delta(str(database))
        assert generation_of(published) == generation - 1, "the pointer moved before all tables were there"
        mixed += len(set(newest(published))) > 1
        # From the first link on, the publish is complete, and is finished rather than undone.
        is_complete = moment > steps.count("delta")
        assert settle(published) == is_complete
        assert generation_of(published) == generation - 1 + is_complete
        check_mended(database, generation)
    assert mixed == 1, "no moment left the tables at two versions: nothing was tested"


def test_kill_9_at_moments_from_the_first_to_the_last(database: Path, tmp_path: Path) -> None:
    published = tmp_path / "published"
    with mortal("tests.unit.publish.test_delta_killed:publish_delta") as process:
        process.run(database)
        next_generation(database, 1)
        done = process.run(database)
        assert done
        known, seen = 1, set()
        for step in (1, 2):
            next_generation(database, step + 1)
            assert process.run(database, moment=done.moments * step // 3) is None
            settle(published)
            found = generation_of(published)
            assert found in {known, step + 1}
            seen.add(found == step + 1)
            known = found
        assert False in seen
        check_mended(database, step + 1)


def test_the_version_of_a_killed_publish_is_not_left_to_readers(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change is undone after the kill: the tables are as `latest.json` says, but their newest versions are not."""
    publish_delta(str(database))
    next_generation(database, 1)
    with killed_at(5, monkeypatch), pytest.raises(Killed):
        publish_delta(str(database))
    assert newest(tmp_path / "published") == [1, 1]
    next_generation(database, 0)
    check_mended(database, 0)


def test_a_log_that_cannot_be_written_leaves_what_was_published(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = tmp_path / "published"
    publish_delta(str(database))
    before = {path: (published / path).read_bytes() for path in files(published) if not path.startswith("delta/")}
    next_generation(database, 1)

    def refused(self: LocalStorage, path: str, data: bytes) -> None:
        raise PermissionError(f"{path}: {len(data)}")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put", refused)
        with pytest.raises(PublishError, match="cannot be written"):
            publish_delta(str(database))
    after = {path: (published / path).read_bytes() for path in files(published) if not path.startswith("delta/")}
    assert after == before
    assert generation_of(published) == 0
    check_mended(database, 1)


def test_what_delta_rs_reports_names_the_table(database: Path, tmp_path: Path) -> None:
    published = tmp_path / "published"
    publish_delta(str(database))
    log = published / "delta" / "reference" / "parts" / "_delta_log"
    (log / f"{0:020}.checkpoint.parquet").write_bytes(b"no Parquet")
    next_generation(database, 1)
    with pytest.raises(PublishError, match=r"^The Delta table delta/reference/parts cannot be written \(.+\)\."):
        publish_delta(str(database))
    (log / f"{0:020}.checkpoint.parquet").unlink()
    check_mended(database, 1)


def test_a_log_whose_deletion_was_interrupted_is_begun_anew(database: Path, tmp_path: Path) -> None:
    published = tmp_path / "published"
    publish_delta(str(database))
    next_generation(database, 1)
    publish_delta(str(database))
    log = published / "delta" / "reference" / "parts" / "_delta_log"
    for path in [*log.glob("*.checkpoint.parquet"), log / f"{0:020}.json"]:
        path.unlink()
    next_generation(database, 2)
    publish_delta(str(database))
    assert generation_of(published) == 2
    assert named(published / "latest.json")["reference.parts"]["version"] == 0
    assert named(published / "latest.json")["reference.users"]["version"] == 2


def test_a_target_has_versions_of_its_own(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published, there = tmp_path / "published", tmp_path / "there"
    uri = f"file://{there}"
    publish_delta(str(database))
    heard = list[Count]()
    assert send(published, uri, on_count=heard.append).files == 8
    # The files of the folder but latest.json, then the two tables, which are staged and committed in three steps.
    copied = [path for path in (published / "publishes").rglob("*") if path.is_file() and path.name != "latest.json"]
    size = sum(path.stat().st_size for path in copied)
    ends = [(one.done, one.total, one.unit) for one in heard if not one.name]
    assert [end for end in ends if end[2] == "bytes"] == [(size, size, "bytes")]
    assert [end for end in ends if end[2] == "tables"] == [(2, 2, "tables")] * 4
    assert [one.done for one in heard if one.unit == "bytes"] == sorted(
        one.done for one in heard if one.unit == "bytes"
    )
    for generation in (1, 2):
        next_generation(database, generation)
        publish_delta(str(database))
    assert send(published, uri).files == 8
    assert (generation_of(published), generation_of(there)) == (2, 2)
    assert {delta["version"] for delta in named(published / "latest.json").values()} == {2}
    assert {delta["version"] for delta in named(there / "latest.json").values()} == {1}
    publish_delta(str(database))
    assert send(published, uri).files == 6, "unchanged tables were sent"
    # The published folder is created anew: the versions of the target continue.
    for path in sorted(published.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into reference.parts values (2)")
    publish_delta(str(database))
    assert send(published, uri).files == 7
    tables = named(there / "latest.json")
    assert {name: delta["version"] for name, delta in tables.items()} == {"reference.parts": 2, "reference.users": 1}
    # Killed while the entries are written: the pointer of the target does not move, and the next send mends it.
    next_generation(database, 5)
    publish_delta(str(database))
    put, logs = LocalStorage.put, list[str]()

    def one_log(self: LocalStorage, path: str, data: bytes) -> None:
        logs.append(path)
        if len(logs) == 2:
            raise Killed
        put(self, path, data)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put", one_log)
        with pytest.raises(Killed):
            send(published, uri)
    assert named(there / "latest.json") == tables
    assert sorted(newest(there)) == [2, 5]
    publish_delta(str(database))
    assert send(published, uri).files == 8
    assert generation_of(there) == 5
    assert newest(there) == [5, 5]
    # Tables that are no longer sent go with the last publish that names them.
    for remaining in (2, 0):
        publish(database, published, resources=SMALL)
        send(published, uri)
        assert len(list(there.glob("delta/*/*"))) == remaining
