"""The lake where there are no renames and no locks: files through `pyarrow.fs`, commits by one put."""

from pathlib import Path

import pytest
from pyarrow import fs

from ion_pipeline.files import FileWriteError
from ion_pipeline.files.storage import LocalStorage, ObjectStorage, open_storage
from ion_pipeline.lake import Lake, LakeCorruptionError
from tests.unit.lake.support import SCHEMAS, TENANT, commit, numbered, read, tree


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    store = ObjectStorage(fs.LocalFileSystem(), str(tmp_path / "bucket" / "lake"), "store://bucket/lake")
    monkeypatch.setattr("ion_pipeline.lake.lake.open_storage", lambda _: store)
    return Lake("store://bucket/lake", lock_file=tmp_path / "lock")


def test_a_load_is_written_and_read_back(lake: Lake, tmp_path: Path) -> None:
    assert lake.loads() == []
    load = commit(lake, numbered(1, 1000))
    second = commit(lake, numbered(1, 10))
    assert lake.loads() == [load, second]
    assert read(lake, load)["id"].to_pylist() == list(range(1, 1001))
    with lake.checkout(load) as files:
        copies = files["parts"]
        assert not any(path.is_relative_to(tmp_path / "bucket") for path in copies)
    assert not any(path.exists() for path in copies)
    assert {name.split("/")[2] for name in tree(tmp_path) if name != "lock"} == {"_loads", "parts"}


def test_leftovers_are_invisible_and_swept(lake: Lake, tmp_path: Path) -> None:
    load = commit(lake, numbered(1, 10))
    kept = tree(tmp_path)
    for leftover in ("_staging/01X/parts/part-00000.parquet", "parts/load=01X/part-00000.parquet"):
        path = tmp_path / "bucket" / "lake" / leftover
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    assert lake.loads() == [load]
    lake.begin(TENANT, SCHEMAS).abort()
    assert tree(tmp_path) == kept


def test_a_missing_object_is_named(lake: Lake, tmp_path: Path) -> None:
    load = commit(lake, numbered(1, 10))
    path = load.tables[0].files[0].path
    (tmp_path / "bucket" / "lake" / path).unlink()
    with pytest.raises(LakeCorruptionError, match=f"lost store://bucket/lake/{path}"):
        lake.verify(load)


def test_it_takes_a_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = ObjectStorage(fs.LocalFileSystem(), str(tmp_path), "store://bucket")
    monkeypatch.setattr("ion_pipeline.lake.lake.open_storage", lambda _: store)
    with pytest.raises(FileWriteError, match="lock_file"):
        Lake("store://bucket").begin(TENANT, SCHEMAS)


def test_paths_and_file_uris_are_local(tmp_path: Path) -> None:
    for location in (tmp_path, str(tmp_path), f"file://{tmp_path}"):
        storage = open_storage(location)
        assert isinstance(storage, LocalStorage)
        assert storage.root == tmp_path
