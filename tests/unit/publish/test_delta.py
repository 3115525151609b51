"""Delta tables next to the published file: the same rows for each reader, in the version that it names."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import TableNotFoundError

from ion_pipeline.publish import PublishError, PublishReport, publish
from ion_pipeline.warehouse import Resources
from tests.delta_readers import READERS, by_delta_rs, by_hand, comparable, in_file
from tests.unit.publish.support import change, files, named

pytestmark = pytest.mark.slow

SMALL = Resources("256MB", 1)
# A value as SQL, Delta's type of it, and what readers find.
TYPES: dict[str, tuple[str, Any, Any]] = {
    "a_bigint": ("-9223372036854775807::bigint", "long", -9223372036854775807),
    "a_blob": (r"'\xAA\x00'::blob", "binary", b"\xaa\x00"),
    "a_boolean": ("true", "boolean", True),
    "a_date": ("date '9999-12-31'", "date", "9999-12-31"),
    "a_decimal": ("12345678901234567890.12::decimal(30,2)", "decimal(30,2)", Decimal("12345678901234567890.12")),
    "a_double": ("'inf'::double", "double", float("inf")),
    "a_float": ("0.5::float", "float", 0.5),
    "a_hugeint": ("(2::hugeint ^ 100)::hugeint", "decimal(38,0)", Decimal(2**100)),
    "a_nan": ("'nan'::double", "double", float("nan")),
    "a_smallint": ("-1::smallint", "short", -1),
    "a_text": ("'é' || chr(10) || '|'", "string", "é\n|"),
    "a_time": ("time '01:02:03.5'", "string", "01:02:03.5"),
    "a_timestamp": ("timestamp '2026-01-02 03:04:05.000006'", "string", "2026-01-02 03:04:05.000006"),
    "a_timestamptz": (
        "timestamptz '2026-01-02 03:04:05.000006+02'",
        "timestamp",
        "2026-01-02T01:04:05.000006+00:00",
    ),
    "a_tinyint": ("-1::tinyint", "byte", -1),
    "a_ubigint": ("18446744073709551615::ubigint", "decimal(20,0)", Decimal(2**64 - 1)),
    "a_uinteger": ("4294967295::uinteger", "long", 2**32 - 1),
    "a_usmallint": ("65535::usmallint", "integer", 2**16 - 1),
    "a_utinyint": ("255::utinyint", "short", 255),
    "a_uuid": ("uuid '00000000-0000-0000-0000-00000000000a'", "string", "00000000-0000-0000-0000-00000000000a"),
    "an_array": (
        "[1, null]::integer[2]",
        {"type": "array", "elementType": "integer", "containsNull": True},
        [1, None],
    ),
    "an_enum": ("'b'::enum('a', 'b')", "string", "b"),
    "an_interval": ("interval '1 day 2 seconds'", "string", "1 day 00:00:02"),
    "some_json": ("'{\"a\": 1}'::json", "string", '{"a": 1}'),
    "a_list": (
        "[{'at': time '01:00:00', 'counts': [1::hugeint]}]",
        {
            "type": "array",
            "elementType": {
                "type": "struct",
                "fields": [
                    {"name": "at", "type": "string", "nullable": True, "metadata": {}},
                    {
                        "name": "counts",
                        "type": {"type": "array", "elementType": "decimal(38,0)", "containsNull": True},
                        "nullable": True,
                        "metadata": {},
                    },
                ],
            },
            "containsNull": True,
        },
        [{"at": "01:00:00", "counts": [Decimal(1)]}],
    ),
    "a_map": (
        "map {'Programme': 'A', 'none': null}",
        {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True},
        {"Programme": "A", "none": None},
    ),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A warehouse with three public tables."""
    path = tmp_path / "warehouse.duckdb"
    change(
        path,
        """
        set TimeZone = 'UTC';
        create schema genealogy; create schema reference; create schema quality;
        create table reference.parts as select 1::bigint as part_id, 'P-1' as part_number;
        comment on table reference.parts is 'A part''s revision | one row each.';
        comment on column reference.parts.part_number is 'The "number".';
        create table genealogy.tree as
            select i as unit_id, [i, null] as path_ids, map {'a': i::varchar, 'b': null} as attributes,
                [{'step': i, 'limits': [0.5 * i]}] as steps, timestamptz '2026-01-01 00:00:00+00' + to_seconds(i) as at
            from range(50) as r(i);
        create table quality.empty as select 1 as id, ['x'] as names where false;
        """,
    )
    return path


def run(database: Path, **options: Any) -> PublishReport:
    values = {"formats": ("parquet", "delta"), "resources": SMALL, **options}
    return publish(database, database.parent / "published", **values)


def versions(tmp_path: Path) -> dict[str, int]:
    return {name: delta["version"] for name, delta in named(tmp_path / "published" / "latest.json").items()}


def check_all(published: Path, publish_folder: Path, only: str = "") -> int:
    """Each table of a publish has, for each reader, the rows of the publish's file; return the number of rows."""
    tables = {name: delta for name, delta in named(publish_folder / "latest.json").items() if only in {"", name}}
    assert tables
    total = 0
    for name, delta in tables.items():
        wanted = in_file(publish_folder / "ion.duckdb", name)
        for read in READERS:
            assert read(published / delta["path"], delta["version"]) == wanted, (read, name)
        for file in delta["files"]:
            assert hashlib.sha256((published / file["file"]).read_bytes()).hexdigest() == file["sha256"]
        total += len(wanted)
    return total


def test_every_reader_finds_the_rows_and_comments_of_the_file(database: Path, tmp_path: Path) -> None:
    report, published = run(database), tmp_path / "published"
    assert report.delta_versions == 3
    assert check_all(published, published / "publishes" / report.publish_id) == 51
    table = DeltaTable(str(published / "delta" / "reference" / "parts"))
    assert (table.metadata().name, table.metadata().description) == (
        "reference.parts",
        "A part's revision | one row each.",
    )
    assert {field.name: field.metadata for field in table.schema().fields} == {
        "part_id": {},
        "part_number": {"comment": 'The "number".'},
    }
    # The rows are stored once.
    data = published / named(published / "latest.json")["genealogy.tree"]["files"][0]["file"]
    assert data.samefile(report.parquet / "genealogy" / "tree.parquet")


def test_every_type_is_one_of_the_first_protocol(database: Path, tmp_path: Path) -> None:
    columns = ", ".join(f"{sql} as {name}" for name, (sql, _, _) in TYPES.items())
    nothing = ", ".join("null" for _ in TYPES)
    change(database, f"create table quality.types as select {columns} union all select {nothing}")
    run(database)
    delta = named(tmp_path / "published" / "latest.json")["quality.types"]
    folder = tmp_path / "published" / delta["path"]
    table = DeltaTable(str(folder))
    protocol = table.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
    fields = orjson.loads(table.schema().to_json())["fields"]
    assert {field["name"]: field["type"] for field in fields} == {name: kind for name, (_, kind, _) in TYPES.items()}
    wanted = comparable([tuple(value for _, _, value in TYPES.values()), (None,) * len(TYPES)])
    for read in READERS:
        found = [row.replace("datetime.date(9999, 12, 31)", "'9999-12-31'") for row in read(folder, 0)]
        assert sorted(found) == wanted, read


def test_only_a_table_that_changed_has_a_new_version(database: Path, tmp_path: Path) -> None:
    run(database)
    first = {"genealogy.tree": 0, "quality.empty": 0, "reference.parts": 0}
    assert versions(tmp_path) == first
    before = files(tmp_path / "published" / "delta")
    change(database, "create or replace table genealogy.tree as from genealogy.tree order by unit_id desc")
    assert run(database).delta_versions == 0
    assert versions(tmp_path) == first
    assert files(tmp_path / "published" / "delta") == before
    for count, (name, sql) in enumerate(
        [
            ("genealogy.tree", "update genealogy.tree set attributes = map {'a': '?', 'b': null} where unit_id = 7"),
            ("reference.parts", "alter table reference.parts add column mass double default 0.5"),
            ("reference.parts", "alter table reference.parts alter mass type varchar"),
            ("reference.parts", "alter table reference.parts drop column mass"),
            ("reference.parts", "comment on column reference.parts.part_id is 'Its id.'"),
        ]
    ):
        change(database, sql)
        report = run(database, keep=9)
        assert report.delta_versions == 1, (count, sql)
        wanted = {**first, name: versions(tmp_path)[name]}
        assert wanted[name] == first[name] + 1
        assert versions(tmp_path) == wanted
        first = wanted
    # The text of the table has a version of its own, which no publish names.
    change(database, "comment on table reference.parts is 'Another.'")
    assert run(database, keep=9).delta_versions == 1
    assert versions(tmp_path) == {**first, "reference.parts": first["reference.parts"] + 2}
    table = DeltaTable(str(tmp_path / "published" / "delta" / "reference" / "parts"))
    assert table.metadata().description == "Another."
    assert [(field.name, field.metadata) for field in table.schema().fields] == [
        ("part_id", {"comment": "Its id."}),
        ("part_number", {"comment": 'The "number".'}),
    ]
    # Each of these publishes can still be read, with the columns of its time.
    folders = sorted((tmp_path / "published" / "publishes").iterdir())
    assert sum(check_all(tmp_path / "published", folder, "reference.parts") for folder in folders) == len(folders) == 8


def test_the_publishes_kept_can_be_read_and_older_versions_are_gone(database: Path, tmp_path: Path) -> None:
    published = tmp_path / "published"
    ids = []
    for part in range(4):
        change(database, "update reference.parts set part_number = ?", [f"PN-{part}"])
        ids.append(run(database, keep=3).publish_id)
    tables = {publish_id: named(published / "publishes" / publish_id / "latest.json") for publish_id in ids[1:]}
    assert [tables[publish_id]["reference.parts"]["version"] for publish_id in ids[1:]] == [1, 2, 3]
    for publish_id in ids[1:]:
        check_all(published, published / "publishes" / publish_id, "reference.parts")
    # The table that never changed has kept its one version.
    assert [tables[publish_id]["genealogy.tree"]["version"] for publish_id in ids[1:]] == [0, 0, 0]
    folder = published / "delta" / "reference" / "parts"
    assert sorted(path.name for path in folder.glob("*.parquet")) == sorted(
        delta["reference.parts"]["files"][0]["file"].rpartition("/")[2] for delta in tables.values()
    )
    assert min(path.name for path in (folder / "_delta_log").iterdir() if path.name[0] == "0")[:20] == f"{1:020}"
    with pytest.raises(TableNotFoundError):
        DeltaTable(str(folder), version=0)
    # Readers without `latest.json` open the newest version.
    assert DeltaTable(str(folder)).version() == 3
    assert by_delta_rs(folder, 3) == ["[1, 'PN-3']"]


def test_a_table_that_is_no_longer_published_goes_with_the_last_publish_that_names_it(
    database: Path, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    folder = published / "delta" / "reference" / "parts"
    run(database)
    theirs = published / "delta" / "notes" / "mine" / "data.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"of somebody else")
    change(database, "drop table reference.parts")
    run(database)
    assert set(versions(tmp_path)) == {"genealogy.tree", "quality.empty"}
    assert by_hand(folder, 0) == ["[1, 'P-1']"], "the publish before still names it"
    run(database)
    assert not folder.parent.exists()
    change(database, "create table reference.parts as select 'new' as part_id")
    run(database)
    assert versions(tmp_path)["reference.parts"] == 0
    assert by_delta_rs(folder, 0) == ["['new']"]
    # Without Delta among the formats, all tables go in the same way, and without Parquet, no old file is found.
    run(database, formats=("parquet",))
    assert versions(tmp_path) == {}
    assert folder.exists()
    run(database, formats=("parquet",))
    assert files(published / "delta") == {"notes/mine/data.parquet"}
    report = run(database, formats=("delta",))
    assert files(report.parquet) == set()
    assert check_all(published, published / "publishes" / report.publish_id) == 51


def test_files_of_others_are_in_the_way_and_stay(database: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "published" / "delta" / "reference" / "parts"
    DeltaTable.create(str(theirs), Schema([Field("note", "string")]))
    (theirs / "part-0.parquet").write_bytes(b"of somebody else")
    with pytest.raises(PublishError, match=r"delta/reference/parts holds files that ion-pipeline did not create"):
        run(database)
    assert not (tmp_path / "published" / "latest.json").exists()
    assert DeltaTable(str(theirs)).version() == 0
    run(database, formats=("parquet",))
    assert (theirs / "part-0.parquet").read_bytes() == b"of somebody else"


def test_what_came_under_export_control_is_in_no_file_of_a_table(database: Path, tmp_path: Path) -> None:
    secret = "CONTROLLED-0815"
    folder = tmp_path / "published" / "delta"

    def mentions() -> int:
        """How many files of the tables hold the text, as it is or compressed."""
        found = 0
        with duckdb.connect() as connection:
            for path in folder.rglob("*"):
                if path.is_file():
                    found += secret.encode() in path.read_bytes()
                if path.suffix == ".parquet":
                    texts = connection.execute("select t::varchar from read_parquet(?) as t", [str(path)]).fetchall()
                    found += any(secret in text for (text,) in texts)
        return found

    change(database, "insert into reference.parts values (2, ?)", [secret])
    for _ in range(2):
        run(database, keep=5)
        change(database, "insert into reference.parts values (3, 'free')")
    assert mentions() >= 2
    # A publish that was killed has left a file that no log names, and a version that no publish names.
    old = named(tmp_path / "published" / "latest.json")["reference.parts"]
    stray = tmp_path / "published" / old["path"] / "01M8MBG2DHVH6FA9TGGR2KGNKJ.parquet"
    stray.write_bytes((tmp_path / "published" / old["files"][0]["file"]).read_bytes())
    change(database, "delete from reference.parts where part_id = 2")
    report = run(database, keep=5, export_controlled="left out as of load 1")
    assert mentions() == 0
    assert check_all(tmp_path / "published", tmp_path / "published" / "publishes" / report.publish_id) == 53
