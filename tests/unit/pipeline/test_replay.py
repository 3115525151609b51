"""Executing what dbt rendered: order, statuses and what a failure stops, against dbt's rules said in another way."""
# ruff: noqa: S608 -- names of our own

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.counting import Count
from ion_pipeline.pipeline.dbt.changed_rows import Since
from ion_pipeline.pipeline.dbt.pending import Source
from ion_pipeline.pipeline.dbt.rendered import Node, Rendered, load_rendered
from ion_pipeline.pipeline.dbt.replay import LastBuild, replay
from ion_pipeline.pipeline.dbt.report import ChangedCount
from ion_pipeline.warehouse import BuiltNode
from tests.examples import examples

FAILS = "select error('on purpose')"


def model(name: str, *parents: str, sql: str = "", view: bool = False) -> Node:
    kind = "view" if view else "table"
    return node(f"model.p.{name}", parents, sql or f'create {kind} "s"."{name}" as select 1 as x', is_view=view)


def check(name: str, *parents: str, found: int = 0, blocking: bool = True) -> Node:
    sql = f"select {found} as failures, {found} != 0 as should_warn, {found} != 0 as should_error"
    return node(f"test.p.{name}", parents, sql, blocking=blocking)


def node(unique_id: str, parents: Collection[str], sql: str, *, is_view: bool = False, blocking: bool = False) -> Node:
    kind, _, name = unique_id.split(".")
    schema = "" if kind == "test" else "s"
    return Node(unique_id, name, kind, tuple(parents), schema, is_view, blocking, "!= 0", "!= 0", sql)  # type: ignore[arg-type]


def rendered(*nodes: Node, seeds: Path = Path()) -> Rendered:
    return Rendered({one.unique_id: one for one in nodes}, seeds)


def test_what_stood_before_is_replaced_also_as_another_kind(tmp_path: Path) -> None:
    pq.write_table(pa.table({"code": ["a", "b"]}), tmp_path / "codes.parquet")
    nodes = rendered(
        node("seed.p.codes", (), ""),
        model("now_view", "seed.p.codes", sql='create view "s"."now_view" as from "s"."codes"', view=True),
        model(
            "now_table",
            "model.p.now_view",
            sql="""create table "s"."now_table" as from "s"."now_view";
            comment on table "s"."now_table" is 'What it is'""",
        ),
        seeds=tmp_path,
    )
    with duckdb.connect() as connection:
        connection.execute("create schema s; create table s.now_view (x int); create view s.now_table as select 1")
        for _ in range(2):
            report = replay(connection, nodes)
            assert [(one.unique_id, one.status) for one in report.nodes] == [
                ("seed.p.codes", "success"),
                ("model.p.now_view", "success"),
                ("model.p.now_table", "success"),
            ]
        assert connection.execute("from s.now_table").fetchall() == [("a",), ("b",)]
        assert connection.execute("select comment from duckdb_tables() where table_name = 'now_table'").fetchall() == [
            ("What it is",)
        ]


def test_a_model_that_fails_leaves_what_stood_and_names_itself() -> None:
    nodes = rendered(model("a", sql='create table "s"."a" as ' + FAILS), model("b", "model.p.a"), model("c"))
    with duckdb.connect() as connection:
        connection.execute("create schema s; create table s.a as select 7 as x")
        report = replay(connection, nodes)
        assert {one.unique_id: one.status for one in report.nodes} == {
            "model.p.a": "error",
            "model.p.b": "skipped",
            "model.p.c": "success",
        }
        assert "on purpose" in report.nodes[[one.status for one in report.nodes].index("error")].message
        assert connection.execute("from s.a").fetchall() == [(7,)]


def test_what_a_test_finds() -> None:
    nodes = rendered(
        model("a"),
        check("fine", "model.p.a"),
        check("one", "model.p.a", found=1, blocking=False),
        check("two", "model.p.a", found=2),
    )
    with duckdb.connect() as connection:
        found = {one.unique_id: (one.status, one.message) for one in replay(connection, nodes).nodes}
    assert found["test.p.fine"] == ("pass", "")
    assert found["test.p.one"] == ("warn", "Got 1 result, configured to warn if != 0")
    assert found["test.p.two"] == ("fail", "Got 2 results, configured to fail if != 0")


def test_it_says_which_node_runs_and_how_much_of_the_work_is_done() -> None:
    nodes = rendered(
        model("a", sql='create table "s"."a" as ' + FAILS), model("b", "model.p.a"), check("c", "model.p.b")
    )
    before = {"model.p.a": 6.0, "model.p.b": 3.0, "test.p.c": 1.0, "model.p.of_another_build": 90.0}
    heard = list[Count]()
    with duckdb.connect() as connection:
        report = replay(connection, nodes, on_count=heard.append, seconds=before)
        assert len(report.nodes) == 3
        # The second model and its test are skipped: they are done too, and were no work.
        assert heard == [
            Count(0, 3, "nodes", name="model a", share=0.0),
            Count(1, 3, "nodes", share=0.6),
            Count(1, 3, "nodes", name="model b", share=0.6),
            Count(2, 3, "nodes", share=6 / 7),
            Count(2, 3, "nodes", name="test c", share=6 / 7),
            Count(3, 3, "nodes", share=1.0),
        ]
        # Of one node nothing is known: nothing is said about the rest.
        heard.clear()
        replay(connection, nodes, on_count=heard.append, seconds={"model.p.a": 6.0, "model.p.b": 3.0})
    assert [one.done for one in heard] == [0, 1, 1, 2, 2, 3]
    assert {one.share for one in heard} == {None}


@st.composite
def projects(draw: st.DrawFn) -> tuple[Rendered, set[str], set[str]]:
    """Models of which each reads some before it, tests of some of them; those that fail, and those that are chosen."""
    count = draw(st.integers(1, 7))
    models = [f"model.p.m{number}" for number in range(count)]
    nodes, failing = [], set()
    for number, name in enumerate(models):
        parents = draw(st.sets(st.sampled_from(models[:number]))) if number else set()
        fails = draw(st.booleans()) and draw(st.booleans())
        failing |= {name} if fails else set()
        nodes.append(model(f"m{number}", *sorted(parents), sql='create table "s"."x" as ' + FAILS if fails else ""))
    for number in range(draw(st.integers(0, 4))):
        parents = draw(st.sets(st.sampled_from(models), min_size=1, max_size=3))
        fails, blocking = draw(st.booleans()), draw(st.booleans())
        failing |= {f"test.p.t{number}"} if fails and blocking else set()
        nodes.append(check(f"t{number}", *sorted(parents), found=int(fails), blocking=blocking))
    chosen = draw(st.sets(st.sampled_from([one.unique_id for one in nodes]), min_size=1))
    return rendered(*draw(st.permutations(nodes))), failing, chosen


def expected(nodes: Mapping[str, Node], failing: set[str], chosen: set[str]) -> dict[str, str]:
    """Each node's fate, by asking one at a time: is anything that it has to wait for, however far up, not well?"""

    def upstream(name: str) -> set[str]:
        return {one for parent in nodes[name].parents for one in {parent, *upstream(parent)}}

    def fate(name: str) -> str:
        waits = {one for one in upstream(name) if one in chosen}
        if not name.startswith("test."):
            waits |= {
                one
                for one in chosen
                if one.startswith("test.") and all(tested in upstream(name) for tested in nodes[one].parents)
            }
        if any(fate(one) != "well" for one in waits):
            return "skipped"
        return "failed" if name in failing else "well"

    return {name: fate(name) for name in chosen}


@settings(max_examples=examples(60))
@given(projects())
def test_a_failure_stops_what_is_below_it_and_nothing_else(project: tuple[Rendered, set[str], set[str]]) -> None:
    nodes, failing, chosen = project
    with duckdb.connect() as connection:
        report = replay(connection, nodes, {nodes.nodes[name].name for name in chosen})
    words = {"error": "failed", "fail": "failed", "skipped": "skipped"}
    assert {one.unique_id: words.get(one.status, "well") for one in report.nodes} == expected(
        nodes.nodes, failing, chosen
    )


NUMBERS = st.lists(st.integers(0, 2), min_size=3, max_size=3)
ENDS = st.sampled_from(["complete", "killed", "by hand"])
HISTORIES = st.lists(st.tuples(NUMBERS, ENDS), min_size=2, max_size=8)


@st.composite
def sums(draw: st.DrawFn) -> tuple[Rendered, dict[str, set[int]]]:
    """Views and tables that add up columns of `raw.a`, `raw.b`, `raw.c`, perhaps halved; which of them each reads."""
    count = draw(st.integers(1, 8))
    names = [f"m{number}" for number in range(count)]
    nodes, reads = [], {}
    for number, name in enumerate(names):
        parents = sorted(draw(st.sets(st.sampled_from(names[:number]), max_size=2))) if number else []
        reads[f"model.p.{name}"] = sources = draw(st.sets(st.integers(0, 2), min_size=not parents, max_size=1))
        cut, is_view = draw(st.integers(1, 2)), draw(st.booleans())
        terms = [f"(select x from s.{parent})" for parent in parents]
        terms += [f"(select x from raw.{'abc'[source]})" for source in sources]
        sql = f'create {"view" if is_view else "table"} s."{name}" as select ({" + ".join(terms)}) // {cut} as x'
        nodes.append(model(name, *(f"model.p.{parent}" for parent in parents), sql=sql, view=is_view))
        # What is true of any row: such a test passes or warns by the parity of its model.
        found = f"(select x % 2 from s.{name})"
        sql = f"select {found} as failures, {found} != 0 as should_warn, false as should_error"
        nodes.append(node(f"test.p.t_{name}", [f"model.p.{name}"], sql))
    return rendered(*nodes), reads


def contents(connection: duckdb.DuckDBPyConnection, nodes: Rendered) -> dict[str, list[tuple[int]]]:
    models = (one.name for one in nodes.nodes.values() if one.kind == "model")
    return {name: connection.execute(f"from s.{name}").fetchall() for name in models}


@pytest.mark.slow
@settings(max_examples=examples(80))
@given(sums(), HISTORIES)
def test_what_is_kept_is_what_would_be_built(
    project: tuple[Rendered, dict[str, set[int]]], history: list[tuple[list[int], str]]
) -> None:
    nodes, reads = project
    before, changed = [0, 0, 0], set[int]()
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema s")
        for name in "abc":
            connection.execute(f"create table raw.{name} as select 0 as x")
        last = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in replay(connection, nodes).nodes}
        for values, what in history:
            for name, value in zip("abc", values, strict=True):
                connection.execute(f"update raw.{name} set x = ?", [value])
            # A value that comes back has changed, too.
            changed |= {source for source in range(3) if values[source] != before[source]}
            before = values
            readers = {name for name, sources in reads.items() if sources & changed}
            downstream = below(nodes, readers)
            pending = {nodes.nodes[name].name for name in downstream if not nodes.nodes[name].is_view}
            since = LastBuild(last, downstream, readers)
            if what == "by hand":
                # Nothing records it.
                replay(connection, nodes)
            elif what == "killed":
                half = sorted(pending)[: len(pending) // 2]
                replay(connection, nodes, half, last=since)
            else:
                report = replay(connection, nodes, pending, last=since)
                last |= {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in report.nodes}
                changed = set()
                kept = contents(connection, nodes)
                everything = {one.unique_id: one.status for one in replay(connection, nodes).nodes}
                assert kept == contents(connection, nodes)
                assert {name: one.status for name, one in last.items()} == everything
                # What is warned of is repeated, also where nothing changed.
                warned = {nodes.nodes[one.unique_id].name for one in report.nodes if one.status == "warn"}
                warning = {nodes.nodes[name].name for name, status in everything.items() if status == "warn"}
                assert warned == warning & pending


def below(nodes: Rendered, readers: Collection[str]) -> set[str]:
    """The nodes that read a reader, however far up."""

    def reads(name: str) -> bool:
        return name in readers or any(reads(parent) for parent in nodes.nodes[name].parents)

    return {name for name in nodes.nodes if reads(name)}


def test_what_reads_unchanged_rows_is_not_executed() -> None:
    nodes = rendered(
        model("parity", sql="create table s.parity as select x % 2 as x from raw.a"),
        model("seen", "model.p.parity", sql="create view s.seen as from s.parity", view=True),
        model(
            "words",
            "model.p.seen",
            sql="create table s.words as select case x when 0 then 'even' else 'odd' end from s.seen",
        ),
        check("well", "model.p.words"),
        check("odd", "model.p.words", found=1, blocking=False),
    )
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema s; create table raw.a as select 2 as x")
        last = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in replay(connection, nodes).nodes}
        # A warning is repeated, also where nothing changed.
        for value, executed in ((4, {"parity", "odd"}), (5, {"parity", "words", "well", "odd"})):
            connection.execute("update raw.a set x = ?", [value])
            lines: list[str] = []
            report = replay(
                connection,
                nodes,
                ["parity", "words", "well", "odd"],
                last=LastBuild(last, nodes.nodes, {"model.p.parity"}),
                on_line=lines.append,
            )
            assert {one.unique_id.split(".")[2] for one in report.nodes} == executed
            assert len(lines) == 4
            assert sum("up to date" in line for line in lines) == 4 - len(executed)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("(1), (2), (3)", "(1), (2), (4), (5)", ChangedCount(added=2, removed=1)),
        ("(1), (1), (2), (3)", "(1), (2), (2), (4)", ChangedCount(added=2, removed=2)),
        ("(1), (1), (2)", "(2), (1), (1)", ChangedCount(added=0, removed=0)),
        ("(1), (2)", "(1), (2), (2)", ChangedCount(added=1, removed=0)),
        ("(1), (null)", "(null), (null)", ChangedCount(added=1, removed=1)),
    ],
)
def test_it_counts_how_the_rows_of_a_table_changed(before: str, after: str, changed: ChangedCount) -> None:
    nodes = rendered(
        model("rows", sql="create table s.rows as from raw.a"),
        model("seen", "model.p.rows", sql="create view s.seen as from s.rows", view=True),
    )
    with duckdb.connect() as connection:
        connection.execute(f"create schema raw; create table raw.a as from (values {before}) as t(x)")
        first = {one.unique_id: one for one in replay(connection, nodes).nodes}
        rows = before.count("(")
        assert first["model.p.rows"].changed == ChangedCount(added=rows, removed=0)
        recorded = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in first.values()}
        connection.execute(f"create or replace table raw.a as from (values {after}) as t(x)")
        for last in (None, LastBuild(recorded, nodes.nodes, {"model.p.rows"})):
            found = {one.unique_id: one.changed for one in replay(connection, nodes, last=last).nodes}
            assert found["model.p.seen"] is None
            assert found["model.p.rows"] == changed
            connection.execute("create or replace table s.rows as from (values " + before + ") as t(x)")


def test_rows_of_a_build_that_was_not_recorded_are_built_again() -> None:
    nodes = rendered(
        model("first", sql="create table s.first as from raw.a"),
        model("second", "model.p.first", sql="create table s.second as from s.first"),
    )
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema s; create table raw.a as select 2 as x")
        last = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in replay(connection, nodes).nodes}
        connection.execute("update raw.a set x = 3")
        replay(connection, nodes)
        # The input is again that of the recorded build.
        connection.execute("update raw.a set x = 2")
        replay(connection, nodes, ["first", "second"], last=LastBuild(last, nodes.nodes, {"model.p.first"}))
        assert connection.execute("from s.second").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("rows", "changed_sums", "is_limited"),
    [(20_000, 1, True), (19_900, 1, False), (20_000, 30, True), (20_000, 31, False)],
)
def test_few_affected_rows_of_a_small_table_are_replaced_if_it_reads_a_large_one(
    rows: int, changed_sums: int, is_limited: bool
) -> None:
    sums = model("sums", "model.p.large", sql='create table "memory"."s"."sums" as select k, sum(x) from L group by k')
    sums = replace(
        sums,
        sql=sums.sql.replace("L", '"memory"."s"."large"'),
        meta={"rows_by": "k", "affected_by": {"large": "k"}},
    )
    nodes = rendered(model("large", sql='create table "memory"."s"."large" as from raw.a'), sums)
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema s")
        connection.execute(f"create table raw.a as select i % 100 as k, i as x from range({rows}) as t(i)")
        recorded = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in replay(connection, nodes).nodes}
        connection.execute(f"update raw.a set x = -x where k < {changed_sums}")
        since = Since("", datetime(2026, 1, 1, tzinfo=UTC), {"model.p.large": None})
        report = replay(connection, nodes, last=LastBuild(recorded, nodes.nodes, {"model.p.large"}, since))
        built_at = {one.unique_id: one.built_at for one in report.nodes}
        assert (built_at["model.p.sums"] is None) == is_limited
        assert built_at["model.p.large"]
        expected = "select k, sum(x) from raw.a group by k"
        assert connection.execute(f"from s.sums except all {expected}").fetchall() == []
        assert connection.table("s.sums").shape[0] == 100


@pytest.mark.parametrize(("rows", "is_limited"), [(20_000, True), (19_900, False)])
def test_a_staging_view_is_as_large_as_its_table(rows: int, is_limited: bool) -> None:
    view = model("stg", sql='create view "memory"."s"."stg" as select k, x from "memory"."raw"."a"', view=True)
    sums = model(
        "sums",
        "model.p.stg",
        sql='create table "memory"."s"."sums" as select k, sum(x) from "memory"."s"."stg" group by k',
    )
    nodes = rendered(view, replace(sums, meta={"rows_by": "k", "affected_by": {"stg": "k"}}))
    source = Source('"memory"."raw"."a"', "a", is_history=False)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    since = Since("1", now, {"model.p.stg": (source,)})
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema raw_history; create schema s")
        connection.execute(
            f"create table raw.a as select i % 100 as k, i as x, '1' as _ion_load from range({rows}) as t(i)"
        )
        connection.execute("create table raw_history.a as select *, null::timestamptz as valid_to from raw.a")
        recorded = {one.unique_id: BuiltNode(one.status, one.fingerprint) for one in replay(connection, nodes).nodes}
        connection.execute("update raw.a set x = -x, _ion_load = '2' where k = 7")
        connection.execute("update raw_history.a set valid_to = $now where k = 7", {"now": now})
        connection.execute("insert into raw_history.a by name from raw.a where k = 7")
        last = LastBuild(recorded, nodes.nodes, {"model.p.stg"}, since)
        [built] = replay(connection, nodes, ["sums"], last=last).nodes
        assert (built.built_at is None) == is_limited
        expected = "select k, sum(x) from raw.a group by k"
        assert connection.execute(f"from s.sums except all {expected}").fetchall() == []
        assert built.changed == ChangedCount(added=1, removed=1)


def test_nothing_is_kept_until_a_build_was_complete(tmp_path: Path) -> None:
    assert load_rendered(tmp_path, "digest") is None


@pytest.mark.parametrize("digest", ["digest", "of other models"])
def test_another_state_of_the_project_is_not_executed(tmp_path: Path, digest: str) -> None:
    (tmp_path / "rendered.json").write_text('{"digest": "digest", "nodes": []}')
    assert (load_rendered(tmp_path, digest) is not None) == (digest == "digest")
