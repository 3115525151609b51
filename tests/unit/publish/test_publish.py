import errno
import hashlib
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest

from ion_pipeline.files import LockedError, WriterLock
from ion_pipeline.publish import PublishError, PublishReport, publish, settle
from ion_pipeline.warehouse import Fingerprint, Resources, WarehouseError, fingerprint

SMALL = Resources("256MB", 1)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A warehouse with two public tables, a public view and things that are nobody's business."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            """
            create schema raw; create schema genealogy; create schema reference;
            create table raw.parts as select 'a raw secret' as note;
            create table reference.parts as select 1 as part_id;
            comment on table reference.parts is 'A part''s revision | one row each.';
            create table genealogy.tree as
                select (i * 7919) % 10000 as unit_id, 'unit ' || i as label, [i, i + 1] as path_ids,
                    map {'a': i::varchar} as attributes,
                    timestamptz '2026-01-01 00:00:00+00' + to_seconds(i) as seen_at,
                    case when i % 2 = 0 then 0.1 * i end as quantity
                from range(10000) as r(i);
            comment on column genealogy.tree.unit_id is 'The unit.';
            create view genealogy.units as select distinct unit_id from genealogy.tree where unit_id < 3;
            """
        )
    return path


def published(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(tmp_path / "published" / "ion.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def run(database: Path, **options: Any) -> PublishReport:
    return publish(database, database.parent / "published", resources=SMALL, **options)


def names(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "published").iterdir()}


def test_the_public_schemas_are_copied_rows_in_order(database: Path, tmp_path: Path) -> None:
    report = run(database)
    assert [(table.schema, table.table, table.rows) for table in report.tables] == [
        ("reference", "parts", 1),
        ("genealogy", "tree", 10_000),
        ("genealogy", "units", 3),
    ]
    assert published(tmp_path, "select schema_name, table_name from duckdb_tables() order by all") == [
        ("genealogy", "tree"),
        ("genealogy", "units"),
        ("reference", "parts"),
    ]
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        source = connection.execute("from genealogy.tree").fetchall()
    assert published(tmp_path, "from genealogy.tree") == source
    assert source[1][0] == 7919, "the rows were not out of order: their order was not tested"
    assert published(tmp_path, "select comment from duckdb_tables() where table_name = 'parts'") == [
        ("A part's revision | one row each.",)
    ]
    assert published(tmp_path, "select column_name, comment from duckdb_columns() where comment is not null") == [
        ("unit_id", "The unit.")
    ]
    # As BI tools see it: opened by path, the file's catalog has the file's name.
    assert published(tmp_path, "select current_database()") == [("ion",)]


def test_parquet_holds_the_same_rows(database: Path, tmp_path: Path) -> None:
    report = run(database)
    tree = pq.ParquetFile(report.parquet / "genealogy" / "tree.parquet")
    assert tree.metadata.row_group(0).column(0).compression == "ZSTD"
    columns = tree.read()
    rows = published(tmp_path, "select unit_id, label, path_ids, seen_at from genealogy.tree")
    assert (
        list(zip(*(columns[name].to_pylist() for name in ("unit_id", "label", "path_ids", "seen_at")), strict=True))
        == rows
    )
    assert {str(path.relative_to(report.parquet)) for path in report.parquet.rglob("*.parquet")} == {
        "genealogy/tree.parquet",
        "genealogy/units.parquet",
        "reference/parts.parquet",
    }


def test_the_dictionary_describes_every_column(database: Path, tmp_path: Path) -> None:
    run(database)
    document = orjson.loads((tmp_path / "published" / "data_dictionary.json").read_bytes())
    described = [
        (table["schema"], table["table"], column["name"], column["type"])
        for table in document["tables"]
        for column in table["columns"]
    ]
    assert sorted(described) == published(
        tmp_path,
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal order by all",
    )
    assert (document["tables"][0]["description"], document["tables"][0]["rows"]) == (
        "A part's revision | one row each.",
        1,
    )
    text = (tmp_path / "published" / "data_dictionary.md").read_text()
    assert "## genealogy.tree" in text
    assert "| `unit_id` | BIGINT | The unit. |" in text
    assert "10,000 rows." in text


def test_nothing_private_is_in_the_files(database: Path, tmp_path: Path) -> None:
    run(database)
    files = [path for path in (tmp_path / "published").rglob("*") if path.is_file()]
    assert len(files) >= 9
    for path in files:
        data = path.read_bytes()
        assert str(tmp_path).encode() not in data, path
        assert b"a raw secret" not in data, path


def test_macros_are_resolved_in_the_new_file(database: Path, tmp_path: Path) -> None:
    macros = tmp_path / "macros.sql"
    macros.write_text("create macro tree_of(unit) as table select label from genealogy.tree where unit_id = unit;")
    run(database, sql_files=[macros])
    assert published(tmp_path, "from tree_of(7919)") == [("unit 1",)]


def test_a_reader_keeps_its_snapshot_and_the_next_sees_the_new_one(database: Path, tmp_path: Path) -> None:
    first = run(database)
    link = first.parquet.resolve()
    old_rows = pq.ParquetFile(first.parquet / "reference" / "parts.parquet")
    with first.database.open("rb") as reader:
        content = reader.read()
        with duckdb.connect(str(database)) as connection:
            connection.execute("insert into reference.parts values (2)")
        run(database)
        reader.seek(0)
        assert reader.read() == content
    assert old_rows.read().num_rows == 1
    assert published(tmp_path, "select count(*) from reference.parts") == [(2,)]
    assert pq.read_metadata(first.parquet / "reference" / "parts.parquet").num_rows == 2
    # The folder before stays for those who have listed it, the one before that goes.
    assert link.is_dir()
    run(database)
    assert not link.exists()
    assert len(publishes(tmp_path)) == 2


def publishes(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "published" / "publishes").iterdir())


def test_as_many_publishes_stay_as_are_kept(database: Path, tmp_path: Path) -> None:
    ids = [run(database, keep=3).publish_id for _ in range(5)]
    assert publishes(tmp_path) == ids[2:]
    before = tmp_path / "published" / "publishes" / ids[2]
    with duckdb.connect(str(before / "ion.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from genealogy.tree").fetchone() == (10_000,)
    assert pq.read_metadata(before / "parquet" / "genealogy" / "tree.parquet").num_rows == 10_000
    run(database, keep=1)
    assert len(publishes(tmp_path)) == 2, "readers may still be in the one before"


def test_latest_says_what_is_published_with_checksums(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    report = run(database)
    document = orjson.loads((folder / "latest.json").read_bytes())
    assert (document["publish_id"], document["load_id"]) == (report.publish_id, None)
    rows = {(table["schema"], table["table"]): table["rows"] for table in document["tables"]}
    assert rows == {("reference", "parts"): 1, ("genealogy", "tree"): 10_000, ("genealogy", "units"): 3}
    for entry in [document["database"], *document["tables"]]:
        content = (folder / entry["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert (folder / document["database"]["file"]).samefile(folder / "ion.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create table raw._ion_loads as select *, started_at as loaded_at from (values "
            "('01A', timestamptz '2026-03-01 00:00:00+00'), "
            "('01B', timestamptz '2026-03-02 00:00:00+00')) as loads(load_id, started_at)"
        )
    run(database)
    document = orjson.loads((folder / "latest.json").read_bytes())
    assert (document["load_id"], document["read_at"]) == ("01B", "2026-03-02T00:00:00+00:00")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_that_differs_is_not_published(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(database)
    before = snapshot(tmp_path / "published")
    # What has not changed is not copied.
    with duckdb.connect(str(database)) as connection:
        connection.execute("update genealogy.tree set quantity = 7 where unit_id = 2")

    publishing = import_module("ion_pipeline.publish.copy")
    honest = publishing.fingerprint

    def one_row_lost(connection: Any, catalog: str, schema: str, table: str) -> Fingerprint:
        found = honest(connection, catalog, schema, table)
        return Fingerprint(found.rows - 1, found.hash_sum) if (catalog, table) == ("ion", "tree") else found

    monkeypatch.setattr(publishing, "fingerprint", one_row_lost)
    with pytest.raises(PublishError, match=r"genealogy\.tree has 9999 rows in the new file and 10000"):
        run(database)
    assert snapshot(tmp_path / "published") == before


def test_the_fingerprint_sees_a_changed_value_but_not_the_order(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table a as select i, 'x' || i as t from range(1000) r(i)")
        connection.execute("create table b as from a order by i desc")
        connection.execute("create table c as select i, case when i = 500 then 'y' else t end as t from a")
        connection.execute("create table d as from a where i < 0")
        a, b, c, d = (fingerprint(connection, "memory", "main", name) for name in "abcd")
    assert a == b
    assert (a.rows, a.hash_sum) != (c.rows, c.hash_sum)
    assert a.rows == c.rows
    assert d == Fingerprint(0, 0)


def test_leftovers_of_a_killed_publish_are_swept(database: Path, tmp_path: Path) -> None:
    run(database)
    kept = names(tmp_path)
    half = tmp_path / "published" / "publishes" / "01X.tmp"
    (half / "parquet" / "genealogy").mkdir(parents=True)
    for leftover in (half / "ion.duckdb", half / "ion.duckdb.wal", tmp_path / "published" / "ion.duckdb.tmp"):
        leftover.write_bytes(b"half")
    (tmp_path / "published" / "parquet.tmp").symlink_to("publishes/01X.tmp/parquet")
    run(database)
    assert names(tmp_path) == kept
    assert not half.exists()


def test_one_publisher_at_a_time(database: Path, tmp_path: Path) -> None:
    with WriterLock(tmp_path / ".published.lock", "publishing"), pytest.raises(LockedError, match="publishing"):
        run(database)


def test_nothing_to_publish(tmp_path: Path, database: Path) -> None:
    with pytest.raises(PublishError, match="no warehouse at"):
        publish(tmp_path / "none.duckdb", tmp_path / "published")
    with pytest.raises(PublishError, match="has no table in quality"):
        run(database, schemas=["quality"])
    assert not publishes(tmp_path)
    assert names(tmp_path) == {"publishes"}


def test_a_broken_macro_publishes_nothing(database: Path, tmp_path: Path) -> None:
    run(database)
    before = snapshot(tmp_path / "published")
    macros = tmp_path / "macros.sql"
    macros.write_text("create macro wrong(")
    with pytest.raises(WarehouseError, match=r"Publishing failed: Parser Error"):
        run(database, sql_files=[macros])
    assert snapshot(tmp_path / "published") == before


@pytest.mark.parametrize("name", ["parquet", "ion.duckdb", "latest.json", "data_dictionary.md"])
def test_a_folder_in_the_way_is_found_before_anything_is_copied(name: str, database: Path, tmp_path: Path) -> None:
    precious = tmp_path / "published" / name / "mine.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    for _ in range(2):
        with pytest.raises(PublishError, match=rf"published/{name} has a name that a publish needs"):
            run(database)
    assert snapshot(tmp_path / "published") == {f"{name}/mine.txt": b"mine"}


def test_a_file_where_publishes_go_is_found_before_anything_is_copied(database: Path, tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "publishes").write_text("mine")
    with pytest.raises(PublishError, match="published/publishes has a name that a publish needs"):
        run(database)
    assert snapshot(tmp_path / "published") == {"publishes": b"mine"}


def test_no_copy_stays_of_a_publish_that_could_not_be_shown(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database)
    before = snapshot(tmp_path / "published")

    def refused(self: Path, target: Path) -> Path:
        raise PermissionError(f"{self} to {target}")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        with pytest.raises(PublishError, match="cannot be written"):
            run(database)
    (tmp_path / "published" / "parquet.tmp").unlink()
    assert snapshot(tmp_path / "published") == before


def test_what_somebody_put_next_to_the_publishes_stays(database: Path, tmp_path: Path) -> None:
    run(database)
    (tmp_path / "published" / "publishes" / ".DS_Store").write_text("a file manager's")
    for _ in range(3):
        run(database, export_controlled="left out as of load 1")
    assert len(publishes(tmp_path)) == 3
    assert publishes(tmp_path)[0] == ".DS_Store"


class Killed(BaseException):
    """Simulates kill -9: no clause for a specific exception catches it."""


def generations(tmp_path: Path) -> tuple[int, int, int]:
    """What the file, the Parquet copies and `latest.json` hold: the number of rows of one table."""
    folder = tmp_path / "published"
    ((rows,),) = published(tmp_path, "select count(*) from reference.parts")
    parquet: int = pq.read_metadata(folder / "parquet" / "reference" / "parts.parquet").num_rows
    document = orjson.loads((folder / "latest.json").read_bytes())
    ((said,),) = [(table["rows"],) for table in document["tables"] if table["table"] == "parts"]
    return rows, parquet, said


@pytest.mark.slow
def test_a_publish_killed_between_two_names_is_finished(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mixed = tmp_path / "published", 0
    run(database)
    assert not settle(folder)
    replace = os.replace
    # parquet, two dictionaries, the file, latest.json.
    for moment in range(5):
        with duckdb.connect(str(database)) as connection:
            connection.execute("insert into reference.parts values (0)")
        seen = 0

        def counted(source: Any, target: Any, *, moment: int = moment) -> None:
            nonlocal seen
            if seen == moment:
                raise Killed
            seen += 1
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", counted)
            with pytest.raises(Killed):
                run(database)
        mixed += len(set(generations(tmp_path))) > 1
        assert settle(folder)
        assert generations(tmp_path) == (moment + 2, moment + 2, moment + 2)
        document = orjson.loads((folder / "data_dictionary.json").read_bytes())
        assert [table["rows"] for table in document["tables"] if table["table"] == "parts"] == [moment + 2]
        assert not settle(folder)
    assert mixed, "no moment ever left names of two publishes: nothing was tested"


def test_the_next_publish_finishes_it_without_waiting(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "published"
    run(database)
    (folder / "ion.duckdb").unlink()
    with WriterLock(tmp_path / ".published.lock", "publishing"):
        assert not settle(folder)
    assert not (folder / "ion.duckdb").exists()
    assert settle(folder)
    assert published(tmp_path, "select count(*) from reference.parts") == [(1,)]
    # Where a file system has no links, the names are copies.
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    run(database)
    assert not settle(folder)
