"""A publish sent to a real PostgreSQL server."""

import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from ion_pipeline.counting import Count
from ion_pipeline.dashboard import write_dashboard
from ion_pipeline.publish import PublishError, SendReport, publish, send_to_postgres
from ion_pipeline.settings import load_settings
from ion_pipeline.warehouse import Resources
from tests.bi_questions import bi_questions, grants, recalls
from tests.dashboard_charts import EXPECTED, chosen, documents, expected, plain, query_of, same, sql_of
from tests.integration.conftest import Built

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
SMALL = Resources("512MB", 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        # It keeps its locks there, and warns where there is none.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import pgserver

        with pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete") as running:
            yield running.get_uri()


@pytest.fixture
def uri(server: str, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own."""
    name = request.node.name.split("[")[0][-50:]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def demo(server: str, demo_warehouse: Built) -> tuple[str, SendReport]:
    """A database that the demo was sent to, to be read only; and what was sent."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database demo")
    uri = server.replace("/postgres?", "/demo?")
    return uri, send_to_postgres(demo_warehouse.published.parent, uri, resources=SMALL)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """One table of every type that the public tables have."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(
            """
            set TimeZone = 'UTC';
            create schema reference;
            create table reference.things as
            select i as id, i::integer as small, i / 8 as ratio, i % 3 = 0 as flag,
                date '2026-01-01' + i::integer as day,
                case when i % 5 > 0 then timestamptz '2026-01-01 00:00:00.000001+00' + to_hours(i) end as seen_at,
                'Grüße ''' || i as label, [i, null, i + 1] as ids, ['a', 'b"c'] as names,
                map {'k': i::varchar} as attributes, [{'limit': 0.5, 'of': ['x']}] as limits, i::hugeint as large
            from range(2000) as r(i);
            comment on table reference.things is 'One row per thing''s thing.';
            comment on column reference.things.label is 'What it''s called.';
            """
        )
    return republish(tmp_path)


def republish(folder: Path) -> Path:
    publish(folder / "warehouse.duckdb", folder / "published", resources=SMALL)
    return folder / "published"


def change(folder: Path, sql: str) -> None:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(sql)


def query(uri: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri) as connection:
        connection.execute("set timezone to 'UTC'")
        return connection.execute(sql).fetchall()  # type: ignore[arg-type]


def test_values_types_and_comments_arrive(published: Path, uri: str) -> None:
    heard = list[Count]()
    report = send_to_postgres(published, uri, resources=SMALL, on_count=heard.append)
    assert report.files == 1
    assert heard == [Count(0, 1, "tables", name="things", share=0.0), Count(1, 1, "tables", share=1.0)]
    columns = "id, small, ratio, flag, day, seen_at, label, ids, names"
    with duckdb.connect(str(published / "ion.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        wanted = connection.execute(f"select {columns} from reference.things order by id").fetchall()  # noqa: S608
    assert query(uri, f"select {columns} from reference.things order by id") == wanted  # noqa: S608
    assert query(
        uri, "select attributes ->> 'k', limits -> 0 ->> 'limit', large from reference.things where id = 7"
    ) == [("7", "0.5", 7)]
    assert query(uri, "select obj_description('reference.things'::regclass)") == [("One row per thing's thing.",)]
    assert query(uri, "select col_description('reference.things'::regclass, 7)") == [("What it's called.",)]


def test_readers_see_one_publish_or_the_next_and_keep_views_and_grants(published: Path, uri: str) -> None:
    send_to_postgres(published, uri, resources=SMALL)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("create role analyst")
        connection.execute("grant select on reference.things to analyst")
        connection.execute(
            "create view public.mine as select count(*) as n, max(small) as version from reference.things"
        )
    seen: set[tuple[int, int]] = set()
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            while not done.is_set():
                connection.execute("set lock_timeout to '1s'")
                row = connection.execute("select n, version from public.mine").fetchone()
                assert row
                seen.add(row)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in (5000, 6000):
            change(
                published.parent,
                f"delete from reference.things where id % 2 = 0; update reference.things set small = {version}",  # noqa: S608
            )
            send_to_postgres(republish(published.parent), uri, resources=SMALL)
    finally:
        done.set()
        reader.join()
    assert (2000, 1999) in seen
    assert seen <= {(2000, 1999), (1000, 5000), (1000, 6000)}
    assert query(uri, "select has_table_privilege('analyst', 'reference.things', 'select')") == [(True,)]


def test_new_columns_and_tables_that_are_gone(published: Path, uri: str) -> None:
    change(published.parent, "create table reference.extra as select 1 as i")
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    change(published.parent, "drop table reference.extra; alter table reference.things add column more double")
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    assert query(uri, "select table_name from information_schema.tables where table_schema = 'reference'") == [
        ("things",)
    ]
    assert query(uri, "select count(*), count(more) from reference.things") == [(2000, 0)]


def test_a_table_of_somebody_else_is_not_touched_and_nothing_is_half_done(published: Path, uri: str) -> None:
    with psycopg.connect(uri) as connection:
        connection.execute("create schema reference")
        connection.execute("create table reference.things (precious text)")
        connection.execute("insert into reference.things values ('mine')")
    change(published.parent, "create table reference.a_first_table as select 1 as i")
    with pytest.raises(PublishError, match=r'"reference"."things" that ion-pipeline did not create'):
        send_to_postgres(republish(published.parent), uri, resources=SMALL)
    assert query(uri, "select precious from reference.things") == [("mine",)]
    assert query(
        uri, "select table_name from information_schema.tables where table_schema in ('reference', 'ion_pipeline')"
    ) == [("things",)]


DECLARED = """
    create schema ops;
    create table ops.data_dictionary as
    from (values
        ('reference', 'things', 'id', 1, null), ('reference', 'things', 'label', 2, null),
        ('reference', 'things', 'small', null, 'reference.things.id'),
        ('ops', 'data_dictionary', 'table_schema', 1, null), ('ops', 'data_dictionary', 'table_name', 2, null),
        ('ops', 'data_dictionary', 'column_name', 3, null)
    ) as d(table_schema, table_name, column_name, key_number, refers_to);
    alter table reference.things add column serial_number varchar;
    update reference.things set serial_number = 'S' || id
"""
INDEXES = """
    select regexp_replace(indexdef, '^.* USING ', '') from pg_indexes where schemaname = 'reference' order by 1
"""


def test_keys_and_indexes_follow_the_declarations_and_what_fits(published: Path, uri: str) -> None:
    send_to_postgres(published, uri, resources=SMALL)
    assert query(uri, INDEXES) == []
    change(published.parent, DECLARED)
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    keyed = [("btree (id, label)",), ("btree (small)",), ("hash (serial_number)",)]
    assert query(uri, INDEXES) == keyed
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("create index mine on reference.things (flag)")
    # Texts that no b-tree can hold: a part of the key, and a number.
    change(
        published.parent,
        "update reference.things set label = (select string_agg(md5(id::varchar || i)) from range(200) as r(i)), "
        "serial_number = (select string_agg(md5(id::varchar || i)) from range(500) as r(i)) where id = 7",
    )
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    assert query(uri, INDEXES) == [("btree (flag)",), *keyed[1:]]
    assert query(uri, "select length(serial_number) from reference.things where id = 7") == [(500 * 33 - 1,)]
    # The key is back in the second publish: an index would also hold the row that the first one deletes.
    change(published.parent, "update reference.things set label = 'short' where id = 7")
    for indexes in ([("btree (flag)",), *keyed[1:]], [("btree (flag)",), *keyed]):
        send_to_postgres(republish(published.parent), uri, resources=SMALL)
        assert sorted(query(uri, INDEXES)) == sorted(indexes)
    assert query(uri, "select col_description('reference.things'::regclass, 2)") == [
        ("Refers to reference.things.id.",)
    ]


def test_rows_that_differ_are_replaced_and_others_stay(published: Path, uri: str) -> None:
    change(published.parent, DECLARED)
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    places = "select id, ctid::text, label, attributes from reference.things order by id"
    before = {row[0]: row for row in query(uri, places)}
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    assert query(uri, places) == [*before.values()]
    # A row that was deleted there by hand is back in the next publish.
    with psycopg.connect(uri) as connection:
        connection.execute("delete from reference.things where id = 1")
    change(
        published.parent,
        "delete from reference.things where id = 2; update reference.things set ratio = null where id = 3; "
        "update reference.things set attributes = map {'k': 'other'} where id = 4; "
        "insert into reference.things (id, label) values (5000, 'new')",
    )
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    after = {row[0]: row for row in query(uri, places)}
    assert after.keys() == before.keys() - {2} | {5000}
    assert {number for number in after if after[number] != before.get(number)} == {1, 3, 4, 5000}
    assert after[4][3] == {"k": "other"}
    assert query(uri, "select count(*) from reference.things where ratio is null") == [(2,)]
    with psycopg.connect(uri) as connection:
        connection.execute("delete from reference.things where id = 1")
    send_to_postgres(republish(published.parent), uri, resources=SMALL)
    assert query(uri, "select count(*) from reference.things") == [(2000,)]


def test_a_server_that_is_not_there_is_named(published: Path) -> None:
    with pytest.raises(PublishError, match=r"PostgreSQL at postgresql://127\.0\.0\.1:1/none reports an error"):
        send_to_postgres(published, "postgresql://somebody@127.0.0.1:1/none", resources=SMALL)


def test_the_whole_demo_arrives(demo_warehouse: Built, demo: tuple[str, SendReport]) -> None:
    uri, report = demo
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name, estimated_size from duckdb_tables()").fetchall()
    assert report.files == len(tables) > 10
    for schema, table, rows in tables:
        name = f'"{"ion" if schema == "main" else schema}"."{table}"'
        assert query(uri, f"select count(*) from {name}") == [(rows,)]  # noqa: S608
    assert query(uri, "select attributes ->> 'Mass' from ion.parts where attributes ? 'Mass' limit 1") == [("12.5",)]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        keys = connection.execute(
            "select table_schema || '.' || table_name, list(column_name order by key_number) "
            "from ops.data_dictionary where key_number is not null group by all order by all"
        ).fetchall()
        large = {("ion" if schema == "main" else schema, table) for schema, table, rows in tables if rows >= 1000}
        referring = {
            (f"{schema}.{table}", column)
            for schema, table, column in connection.execute(
                "select table_schema, table_name, column_name from ops.data_dictionary where refers_to is not null"
            ).fetchall()
            if (schema, table) in large
        }
    primary = query(
        uri,
        "select indrelid::regclass::text, (select array_agg(attname::text order by n) "
        "from unnest(indkey) with ordinality as k(number, n) "
        "join pg_attribute on attrelid = indrelid and attnum = number) "
        "from pg_index join pg_class c on c.oid = indrelid "
        "where indisprimary and relnamespace::regnamespace::text not in ('pg_catalog', 'pg_toast')",
    )
    assert sorted(primary) == keys
    assert len(keys) == len(tables)
    first = "select indrelid::regclass::text, attname::text from pg_index join pg_attribute on attrelid = indrelid "
    assert len(referring) > 3
    assert referring <= set(query(uri, f"{first} and attnum = indkey[0]"))
    assert query(uri, "select obj_description('ion.part_kits'::regclass)") == [
        ("One row per part_kit_id: ION's `partKits` (`PartKit`) as they are now.",)
    ]


def rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A sum depends on the order of its terms in the last digits."""
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)


def test_functions_give_what_the_macros_give(demo_warehouse: Built, demo: tuple[str, SendReport]) -> None:
    uri, _ = demo
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as source, psycopg.connect(uri) as target:
        source.execute("set TimeZone = 'UTC'")
        target.execute("set timezone to 'UTC'")
        named = source.execute(
            "select distinct part_number, coalesce(serial_number, lot_number) as number "
            "from reference.part_inventories where part_inventory_id in "
            "(select component_part_inventory_id from genealogy.abom_where_used) "
            "and part_number is not null and number is not null order by all"
        ).fetchall()
        units = source.execute(
            "select distinct root_part_inventory_id from genealogy.abom_hierarchy order by 1"
        ).fetchall()
        plans = source.execute(
            "select distinct root_part_number, root_part_revision from genealogy.mbom_hierarchy order by all"
        ).fetchall()
        calls = [("recall", one) for one in [*named[::4], ("PLT-POWDER", "PLT-BAD-POWDER")]]
        calls += [("mbom_explode", one) for one in plans[::2]]
        calls += [(name, one) for name in ("abom_explode", "where_used") for one in units[::10]]
        # Units that differ: of one part, neighbours, far apart or planted, and of different parts.
        differing = source.execute(
            "with units as (select part_inventory_id, part_id, part_number, configuration_hash, row_number() over "
            "(partition by part_id order by part_inventory_id) as place from genealogy.abom_configurations) "
            "select one.part_inventory_id, other.part_inventory_id from units as one inner join units as other "
            "on one.configuration_hash <> other.configuration_hash and one.part_id = other.part_id "
            "and (abs(one.place - other.place) in (1, 7) or one.part_number like 'PLT-%') "
            "or one.part_id <> other.part_id and one.part_inventory_id * other.part_inventory_id % 9973 = 0 "
            "order by all"
        ).fetchall()
        calls += [("abom_compare", one) for one in differing[::5]]
        # Versions of one plan, neighbours and others, in both directions, and plans of different parts.
        versions = source.execute(
            "select one.mbom_id, other.mbom_id from (select distinct mbom_id, revision_family_id "
            "from genealogy.mbom_versions) as one inner join (select distinct mbom_id, revision_family_id "
            "from genealogy.mbom_versions) as other on one.mbom_id <> other.mbom_id and "
            "(one.revision_family_id = other.revision_family_id or one.mbom_id * other.mbom_id % 97 = 0) order by all"
        ).fetchall()
        calls += [("mbom_compare", one) for one in versions[::3]]
        rows: Counter[str] = Counter()
        for name, values in calls:
            wanted = source.execute(f"from {name}({', '.join('?' * len(values))})", values)
            columns = [column[0] for column in wanted.description or ()]
            statement: Any = f"select * from ion.{name}({', '.join(['%s'] * len(values))})"  # noqa: S608
            found = target.execute(statement, values)
            assert [column.name for column in found.description or ()] == columns
            expected = [rounded(row) for row in wanted.fetchall()]
            assert [rounded(row) for row in found.fetchall()] == expected, (name, values)
            rows[name] += len(expected)
        assert len(calls) > 100
        assert all(rows[name] > 50 for name in {name for name, _ in calls} - {"recall"}), rows
        assert rows["recall"] > 10


def test_a_function_of_somebody_else_is_not_touched(
    demo_warehouse: Built, server: str, demo: tuple[str, SendReport]
) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database theirs template demo")
    uri = server.replace("/postgres?", "/theirs?")
    with psycopg.connect(uri) as connection:
        connection.execute("drop function ion.where_used(bigint)")
        connection.execute("create function ion.where_used(bigint) returns int language sql as 'select 1'")
    with pytest.raises(PublishError, match=r"where_used.* that ion-pipeline did not create"):
        send_to_postgres(demo_warehouse.published.parent, uri, resources=SMALL)
    assert query(uri, "select ion.where_used(1)") == [(1,)]


def test_the_dashboard_shows_the_same_figures(
    demo_warehouse: Built, demo: tuple[str, SendReport], tmp_path: Path
) -> None:
    write_dashboard(
        load_settings(data_dir=demo_warehouse.data_dir), tmp_path / "superset.zip", uri="postgresql://db/ion"
    )
    with zipfile.ZipFile(tmp_path / "superset.zip") as archive:
        found = documents({name: archive.read(name) for name in archive.namelist()})
    datasets = {one["uuid"]: one for path, one in found.items() if path.startswith("datasets/")}
    charts = [one for path, one in found.items() if path.startswith("charts/")]
    assert len(charts) == len(EXPECTED)
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as source, psycopg.connect(demo[0]) as target:
        source.execute("set TimeZone = 'UTC'")
        target.execute("set timezone to 'UTC'")
        for chart in charts:
            title = chart["slice_name"]
            names, rows = expected(source, title)
            sql = sql_of(datasets[chart["dataset_uuid"]], query_of(chart), chosen(source, title))
            shown = ", ".join(f'"{name}"' for name in names)
            statement: Any = f"select {shown} from ({sql}) as chart"  # noqa: S608
            values = [
                [float(value) if isinstance(value, Decimal) else value for value in row]
                for row in target.execute(statement).fetchall()
            ]
            assert same(plain(values), rows), title


def test_the_questions_of_the_bi_page_have_one_answer(demo: tuple[str, SendReport], demo_warehouse: Built) -> None:
    questions, (there, here) = bi_questions(), recalls()
    assert len(questions) > 7
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for question in questions:
            wanted = connection.execute(question.sql).fetchall()
            figures = [value for row in wanted for value in row[len(question.by) :]]
            assert any(figures), question.name
            found = [
                [float(value) if isinstance(value, Decimal) else value for value in row]
                for row in query(demo[0], question.sql)
            ]
            assert same(plain(found), plain(wanted)), question.name
        assert len(query(demo[0], there)) == len(connection.execute(here).fetchall()) > 1
    with psycopg.connect(demo[0], autocommit=True) as connection:
        for statement in grants():
            connection.execute(statement)  # type: ignore[arg-type]
    assert query(demo[0].replace("//postgres", "//metabase"), "select count(*) > 5 from quality.issues") == [(True,)]
