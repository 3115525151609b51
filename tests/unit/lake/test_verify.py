import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ion_pipeline.lake import Lake, LakeCorruptionError
from tests.unit.lake.support import commit, numbered


def delete(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip_one_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def replace_by_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def replace_by_other_parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), path)


@pytest.mark.parametrize("damage", [delete, cut_short, flip_one_byte, replace_by_zeros, replace_by_other_parquet])
def test_a_damaged_file_is_named(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    lake = Lake(tmp_path / "lake")
    load = commit(lake, numbered(1, 100))
    lake.verify(load)
    entry = load.tables[0].files[0]
    damage(tmp_path / "lake" / entry.path)
    with pytest.raises(LakeCorruptionError) as caught:
        lake.verify(load)
    assert entry.path in str(caught.value)
    assert caught.value.remedy


def test_files_on_this_machine_are_looked_at_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder would stay behind when the process is killed."""
    lake = Lake(tmp_path / "lake")
    load = commit(lake, numbered(1, 100))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with lake.checkout(load) as files:
        found = [path for paths in files.values() for path in paths]
        assert found == [tmp_path / "lake" / entry.path for table in load.tables for entry in table.files]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not readable"),
        (b'{"format": 1, "load_id": "', "not readable"),
        (b"[]", "has format None"),
        (b'{"format": 1}', "not readable"),
        (b'{"format": 3}', "has format 3; this version reads up to 2"),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    lake = Lake(tmp_path / "lake")
    load = commit(lake, numbered(1, 1))
    document = tmp_path / "lake" / "_loads" / f"{load.load_id}.json"
    document.write_bytes(content)
    with pytest.raises(LakeCorruptionError, match=complaint) as caught:
        lake.loads()
    assert str(document) in str(caught.value)


def test_a_renamed_manifest_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load = commit(lake, numbered(1, 1))
    document = tmp_path / "lake" / "_loads" / f"{load.load_id}.json"
    document.rename(document.with_name("01ARZ3NDEKTSV4RRFFQ69G5FAV.json"))
    with pytest.raises(LakeCorruptionError, match=f"describes load {load.load_id}"):
        lake.loads()
