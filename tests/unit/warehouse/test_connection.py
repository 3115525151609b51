import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ion_pipeline.warehouse import Resources, WarehouseBusyError, WarehouseDamagedError, connect
from ion_pipeline.warehouse.errors import WarehouseDiskFullError, WarehouseError, WarehouseMemoryError, translate_errors
from ion_pipeline.warehouse.sql import duckdb_type, identifier, literal


@contextmanager
def opened_elsewhere(path: Path, *, read_only: bool) -> Iterator[int]:
    script = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'True'); "
        "print('open', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path), str(read_only)], stdout=subprocess.PIPE, text=True
    )
    with child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "open\n"
            yield child.pid
        finally:
            child.kill()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_writer_is_told_who_has_the_file(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with opened_elsewhere(path, read_only=read_only) as pid:
        with pytest.raises(WarehouseBusyError) as caught, connect(path):
            pass
        assert str(path) in caught.value.message
        assert f"PID {pid}" in caught.value.message
        assert "published/ion.duckdb" in caught.value.remedy


def test_readers_share(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with opened_elsewhere(path, read_only=True), connect(path, read_only=True) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_every_connection_keeps_to_its_means(tmp_path: Path) -> None:
    with connect(tmp_path / "new" / "warehouse.duckdb", Resources("300MB", 1)) as connection:
        settings = dict(connection.execute("select name, value from duckdb_settings()").fetchall())
        assert settings["TimeZone"] == "UTC"
        assert settings["threads"] == "1"
        assert settings["memory_limit"] == "286.1 MiB"
        assert settings["temp_directory"] == str(tmp_path / "new" / "duckdb_tmp")
        assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"
        assert connection.execute("select timestamptz '2026-01-01 00:00:00+00'::varchar").fetchall() == [
            ("2026-01-01 00:00:00+00",)
        ]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"not a database" * 10_000)
    with pytest.raises(WarehouseDamagedError, match="cannot be opened"), connect(path):
        pass


def test_too_little_memory(tmp_path: Path) -> None:
    def build(path: Path) -> None:
        with connect(path, Resources("30MB", 1)) as connection, translate_errors("Building", path):
            connection.execute("set temp_directory = ''")
            connection.execute("create table t as select string_agg(i::varchar) as s from range(20000000) as r(i)")

    with pytest.raises(WarehouseMemoryError, match="Building failed") as caught:
        build(tmp_path / "warehouse.duckdb")
    assert "ION_DUCKDB_MEMORY_LIMIT" in caught.value.remedy


def test_other_errors_keep_their_text(tmp_path: Path) -> None:
    with (
        pytest.raises(WarehouseError, match=r"Counting failed: .*nonsense does not exist"),
        translate_errors("Counting", tmp_path),
    ):
        duckdb.sql("from nonsense")
    with pytest.raises(WarehouseDiskFullError, match="No space left"), translate_errors("Writing", tmp_path):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")


def test_names_and_texts_are_quoted() -> None:
    assert identifier("raw", 'a"b') == '"raw"."a""b"'
    assert literal("it's") == "'it''s'"
    with pytest.raises(TypeError, match="No warehouse type"):
        duckdb_type(pa.duration("s"))
