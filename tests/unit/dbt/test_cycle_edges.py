"""The model that finds cycles, run as it is on random graphs, against networkx."""

import re
from pathlib import Path

import duckdb
import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

MODEL = Path(__file__).parents[3] / "dbt_project/models/intermediate/abom/int_abom__cycle_edges.sql"
Edge = tuple[int, int]


def sql() -> str:
    text = MODEL.read_text(encoding="utf-8")
    text = re.sub(r"\{\{ config\(.*?\) \}\}", "", text)
    text = text.replace("{{ ref('int_abom__lines') }}", "lines").replace("{{ var('abom_max_depth') }}", "64")
    assert "{{" not in text
    return text


def quarantined(edges: set[Edge]) -> set[Edge]:
    with duckdb.connect() as connection:
        connection.execute("create table lines (parent_part_inventory_id bigint, child_part_inventory_id bigint)")
        if edges:
            connection.executemany("insert into lines values (?, ?)", sorted(edges))
        rows = connection.execute(sql()).fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


def inside_components(edges: set[Edge]) -> set[Edge]:
    component = {
        unit: number
        for number, members in enumerate(nx.strongly_connected_components(nx.DiGraph(list(edges))))
        for unit in members
    }
    return {(parent, child) for parent, child in edges if component[parent] == component[child]}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_exactly_the_edges_inside_a_component(edges: set[Edge]) -> None:
    assert quarantined(edges) == inside_components(edges)


def test_several_cycles_and_what_lies_between_them() -> None:
    first, second = {(1, 2), (2, 3), (3, 1)}, {(11, 12), (12, 11)}
    edges = first | second | {(0, 1), (3, 5), (5, 6), (6, 11), (12, 20)}
    assert quarantined(edges) == first | second == inside_components(edges)


def test_a_product_inside_a_lot_that_all_its_assemblies_use() -> None:
    """One component of thousands of units takes a moment, not the square of their number."""
    size = 8_000
    edges = {((unit - 1) // 2, unit) for unit in range(1, size)} | {(unit, size) for unit in range(size)} | {(size, 0)}
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '500MB'; set max_temp_directory_size = '0KB'")
        connection.execute("create table lines (parent_part_inventory_id bigint, child_part_inventory_id bigint)")
        connection.execute(
            "insert into lines select unnest($parents), unnest($children)",
            {"parents": [parent for parent, _ in edges], "children": [child for _, child in edges]},
        )
        found = connection.execute(sql()).fetchall()
    assert set(found) == edges
