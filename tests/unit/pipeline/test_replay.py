"""Executing what dbt rendered: order, statuses and what a failure stops, against dbt's rules said in another way."""

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.counting import Count
from ion_pipeline.pipeline.dbt.rendered import Node, Rendered, load_rendered
from ion_pipeline.pipeline.dbt.replay import replay
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
        # The second model and its test are skipped: they are done too.
        assert heard == [
            Count(0, 3, "nodes", name="model a", share=0.0),
            Count(1, 3, "nodes", share=0.6),
            Count(1, 3, "nodes", name="model b", share=0.6),
            Count(2, 3, "nodes", share=0.9),
            Count(2, 3, "nodes", name="test c", share=0.9),
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


def test_nothing_is_kept_until_a_build_was_complete(tmp_path: Path) -> None:
    assert load_rendered(tmp_path, "digest") is None


@pytest.mark.parametrize("digest", ["digest", "of other models"])
def test_another_state_of_the_project_is_not_executed(tmp_path: Path, digest: str) -> None:
    (tmp_path / "rendered.json").write_text('{"digest": "digest", "nodes": []}')
    assert (load_rendered(tmp_path, digest) is not None) == (digest == "digest")
