"""A large table is published in parts, of which those that have not changed are kept."""

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ion_pipeline.files.storage import copy_file
from ion_pipeline.publish import PublishReport, publish
from ion_pipeline.warehouse import Resources
from tests.examples import examples
from tests.unit.publish.support import change

SMALL = Resources("256MB", 1)
PART_ROWS = 400
folders = count()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    change(path, "create schema genealogy; create schema quality")
    change(path, "create table genealogy.tree as select i as unit_id, 'unit ' || i as label from range(5000) as r(i)")
    change(path, "create table quality.charts as select 'c/' || (i % 700) as chart_key, i from range(3000) as r(i)")
    change(path, "comment on column genealogy.tree.label is 'Its name.'")
    return path


def run(database: Path, to: str = "published", **options: Any) -> PublishReport:
    return publish(database, database.parent / to, resources=SMALL, **{"part_rows": PART_ROWS, **options})


def entry(report: PublishReport, table: str) -> dict[str, Any]:
    document = orjson.loads((report.database.parent / "latest.json").read_bytes())
    [found] = [one for one in document["tables"] if f"{one['schema']}.{one['table']}" == table]
    return dict(found)


def files(report: PublishReport, table: str = "genealogy.tree") -> dict[tuple[str | None, str | None], int]:
    """The inode of the file of each part, by its range."""
    folder = report.database.parent
    return {(one["from"], one["to"]): (folder / one["file"]).stat().st_ino for one in entry(report, table)["parts"]}


def rows(report: PublishReport, table: str = "genealogy.tree") -> list[tuple[Any, ...]]:
    """The rows of a table, for which its file and its Parquet files agree."""
    with duckdb.connect(str(report.database), read_only=True) as connection:
        found = sorted(connection.execute(f"from {table}").fetchall(), key=repr)
    read = pq.read_table(report.parquet / f"{table.replace('.', '/')}.parquet")
    assert sorted((tuple(row.values()) for row in read.to_pylist()), key=repr) == found
    return found


def in_warehouse(database: Path, table: str = "genealogy.tree") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return sorted(connection.execute(f"from {table}").fetchall(), key=repr)


@pytest.mark.parametrize(("table", "is_of"), [("genealogy.tree", int), ("quality.charts", str)])
def test_each_part_has_the_rows_of_its_range(database: Path, table: str, is_of: Callable[[Any], Any]) -> None:
    report = run(database)
    parts = entry(report, table)["parts"]
    assert len(parts) > 3
    assert [one["to"] for one in parts[:-1]] == [one["from"] for one in parts[1:]]
    assert parts[0]["from"] is None
    assert parts[-1]["to"] is None
    for one in parts:
        keys = pq.read_table(report.database.parent / one["file"]).column(0).to_pylist()
        assert one["rows"] == len(keys) > 0
        assert one["from"] is None or min(keys) >= is_of(one["from"])
        assert one["to"] is None or max(keys) < is_of(one["to"])
    assert rows(report, table) == in_warehouse(database, table)
    assert sum(one["rows"] for one in parts) == entry(report, table)["rows"]


def test_a_small_table_is_one_file(database: Path) -> None:
    report = run(database, part_rows=2500)
    assert (report.parquet / "genealogy" / "tree.parquet").is_file()
    assert "parts" not in entry(report, "genealogy.tree")


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("update genealogy.tree set label = 'another' where unit_id = 7", 1),
        ("delete from genealogy.tree where unit_id = 4999", 1),
        ("update genealogy.tree set unit_id = null where unit_id = 3000", 2),
        ("insert into genealogy.tree values (-5, 'before all'), (9000, 'after all')", 2),
        ("delete from genealogy.tree where unit_id < 2500", None),
    ],
)
def test_only_parts_that_differ_are_written(database: Path, sql: str, changed: int | None) -> None:
    before = files(run(database))
    change(database, sql)
    report = run(database)
    after = files(report)
    assert after.keys() == before.keys()
    written = sum(after[one] != before[one] for one in before)
    assert written == changed or (changed is None and 1 < written < len(before))
    assert rows(report) == in_warehouse(database) == rows(run(database, "elsewhere"))


def test_a_part_that_has_become_too_large_is_split(database: Path) -> None:
    before = files(run(database))
    change(database, "insert into genealogy.tree select i, 'later ' || i from range(5000, 8000) as r(i)")
    report = run(database)
    after = files(report)
    *kept, (least, _) = before
    assert {one: after[one] for one in kept} == {one: before[one] for one in kept}
    assert len(after) > len(before) + 3
    assert least in {one[0] for one in after}
    assert max(one["rows"] for one in entry(report, "genealogy.tree")["parts"]) <= 2 * PART_ROWS
    assert rows(report) == in_warehouse(database)


@pytest.mark.parametrize(
    "columns",
    [
        "1 as a, i",
        "cast(null as bigint) as a, i",
        "i % 2 = 0 as a, i",
        "i / 7.0 as a, i",
        "[i] as a, i",
        "'it''s ' || i as a, i",
        "date '2020-01-01' + cast(i as integer) as a, i",
        "if(i < 2000, null, i) as a, i",
    ],
)
def test_any_first_column(database: Path, columns: str) -> None:
    change(database, f"create or replace table genealogy.tree as select {columns} from range(3000) as r(i)")  # noqa: S608 -- above
    run(database)
    change(database, "update genealogy.tree set i = -1 where i = 77")
    assert rows(run(database)) == in_warehouse(database)


def damage(report: PublishReport) -> None:
    change(report.database, "update genealogy.tree set label = 'damaged' where unit_id = 7")


def cut(report: PublishReport) -> None:
    file = next(iter(sorted((report.parquet / "genealogy" / "tree.parquet").iterdir())))
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [damage, cut])
@pytest.mark.parametrize("with_change", [False, True])
def test_what_is_damaged_is_made_again(
    database: Path, harm: Callable[[PublishReport], None], with_change: bool
) -> None:
    report = run(database)
    harm(report)
    if with_change:
        change(database, "update genealogy.tree set label = 'another' where unit_id = 4000")
    assert rows(run(database)) == in_warehouse(database)


def test_other_columns_or_comments_keep_no_part(database: Path) -> None:
    before = files(run(database))
    change(database, "comment on column genealogy.tree.label is 'Its serial number.'")
    after = files(run(database))
    assert set(before.values()).isdisjoint(after.values())


def test_a_version_of_a_delta_table_has_a_file_for_each_part(database: Path) -> None:
    formats = ("parquet", "delta")
    for sql in ("select 1", "update genealogy.tree set label = 'x' where unit_id = 7", "delete from genealogy.tree"):
        change(database, sql)
        report = run(database, formats=formats)
        delta = entry(report, "genealogy.tree")["delta"]
        table = DeltaTable(str(report.database.parent / delta["path"]), version=delta["version"])
        found = sorted((tuple(row.values()) for row in table.to_pyarrow_table().to_pylist()), key=repr)
        assert found == in_warehouse(database)
        assert len(table.file_uris()) == len(delta["files"]) > 3
    assert sum(one["bytes"] for one in delta["files"]) == sum(
        file.stat().st_size for file in (report.parquet / "genealogy" / "tree.parquet").iterdir()
    )


def test_a_part_that_has_not_changed_is_one_file_for_all_publishes_and_versions(database: Path) -> None:
    run(database, formats=("parquet", "delta"))
    change(database, "update genealogy.tree set label = 'x' where unit_id = 7")
    report = run(database, formats=("parquet", "delta"))
    folder, written = report.database.parent, entry(report, "genealogy.tree")
    in_delta = [(folder / one["file"]).stat() for one in written["delta"]["files"]]
    assert [one.st_ino for one in in_delta] == [(folder / one["file"]).stat().st_ino for one in written["parts"]]
    # Two publishes and two versions; what has changed is in one of each.
    assert sorted({one.st_nlink for one in in_delta}) == [2, 4]


def test_a_version_that_an_earlier_program_has_named_is_kept(database: Path) -> None:
    """It named the one file of a version without a list."""
    formats = ("parquet", "delta")
    report = run(database, formats=formats, part_rows=5000)
    before, latest = entry(report, "genealogy.tree")["delta"], report.database.parent / "latest.json"
    document = orjson.loads(latest.read_bytes())
    for table in document["tables"]:
        [file] = table["delta"].pop("files")
        table["delta"] |= file
    latest.write_bytes(orjson.dumps(document))
    (latest.parent / "publishes" / document["publish_id"] / "latest.json").write_bytes(orjson.dumps(document))
    again = run(database, formats=formats, part_rows=5000)
    assert again.delta_versions == 0
    assert entry(again, "genealogy.tree")["delta"] == before


@pytest.mark.parametrize("missing", [None, errno.EINVAL, errno.EXDEV])
def test_a_file_is_copied_where_its_blocks_cannot_be_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int | None
) -> None:
    def refused(*_: Any) -> int:
        raise OSError(missing, "refused")

    if missing is None:
        monkeypatch.delattr(os, "copy_file_range")
    else:
        monkeypatch.setattr(os, "copy_file_range", refused)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"rows" * 100_000)
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_the_file_does_not_grow_with_the_number_of_publishes(database: Path) -> None:
    change(database, "insert into genealogy.tree select i, md5(i::varchar) from range(5000, 400_000) as r(i)")
    sizes = []
    for number in range(8):
        change(
            database,
            "update genealogy.tree set label = $1 || md5(unit_id::varchar) where unit_id % 8 = $1 or unit_id < 90_000",
            [number],
        )
        sizes.append(run(database, part_rows=40_000).bytes)
    assert max(sizes) <= 2.5 * sizes[0], sizes


EDITS = st.tuples(
    st.sampled_from(
        [
            "update genealogy.tree set label = label || '.' where unit_id between $1 and $1 + $2",
            "delete from genealogy.tree where unit_id between $1 and $1 + $2",
            "insert into genealogy.tree select i, 'new' from range($1, $1 + $2) as r(i)",
            "update genealogy.tree set unit_id = null where unit_id between $1 and $1 + $2",
            "update genealogy.tree set unit_id = unit_id + 3000 where unit_id between $1 and $1 + $2",
        ]
    ),
    st.integers(-500, 6000),
    st.integers(0, 1500),
)


@pytest.mark.exhaustive
@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=5), st.sampled_from([100, 400, 900]))
def test_any_history_of_publishes_has_the_rows_of_the_warehouse(
    database: Path, edits: list[tuple[str, int, int]], part_rows: int
) -> None:
    to = f"published-{next(folders)}"
    for sql, *values in edits:
        change(database, sql, values)
        assert rows(run(database, to, part_rows=part_rows)) == in_warehouse(database)
