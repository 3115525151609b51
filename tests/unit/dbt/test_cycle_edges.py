"""The unchanged model that finds cycles, on random graphs, compared with networkx."""

import duckdb
import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dbt.models import sql_of

LINES = "create table int_abom__lines (parent_part_inventory_id bigint, child_part_inventory_id bigint)"
Edge = tuple[int, int]


def quarantined(edges: set[Edge]) -> set[Edge]:
    with duckdb.connect() as connection:
        connection.execute(LINES)
        if edges:
            connection.executemany("insert into int_abom__lines values (?, ?)", sorted(edges))
        rows = connection.execute(sql_of("int_abom__cycle_edges")).fetchall()
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


def test_several_cycles_and_the_units_between_them() -> None:
    first, second = {(1, 2), (2, 3), (3, 1)}, {(11, 12), (12, 11)}
    edges = first | second | {(0, 1), (3, 5), (5, 6), (6, 11), (12, 20)}
    assert quarantined(edges) == first | second == inside_components(edges)


def test_a_product_inside_a_lot_that_all_its_assemblies_use() -> None:
    """The cost of one component of thousands of units does not grow with the square of their number."""
    size = 8_000
    edges = {((unit - 1) // 2, unit) for unit in range(1, size)} | {(unit, size) for unit in range(size)} | {(size, 0)}
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '500MB'; set max_temp_directory_size = '0KB'")
        connection.execute(LINES)
        connection.execute(
            "insert into int_abom__lines select unnest($parents), unnest($children)",
            {"parents": [parent for parent, _ in edges], "children": [child for _, child in edges]},
        )
        found = connection.execute(sql_of("int_abom__cycle_edges")).fetchall()
    assert set(found) == edges
