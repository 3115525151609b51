"""Properties of the oracle on random worlds and graphs, compared with networkx and between the two generations."""

import math
from collections import Counter

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import genealogy
from tests.oracle.bom import quarantined
from tests.oracle.compare import assert_same
from tests.oracle.lines import Generation, lines
from tests.oracle.random_worlds import mirrored_worlds, worlds
from tests.oracle.signature import tree_signature
from tests.oracle.world import World

nodes = st.integers(0, 12)
edge_lists = st.lists(st.tuples(nodes, nodes), max_size=40)
generations: st.SearchStrategy[Generation] = st.sampled_from((1, 2, "both"))


@given(edge_lists)
def test_quarantined_edges_are_those_inside_a_strong_component(pairs: list[tuple[int, int]]) -> None:
    edges: dict[int, set[int]] = {}
    for parent, child in pairs:
        edges.setdefault(parent, set()).add(child)
    component = {
        node: number
        for number, members in enumerate(nx.strongly_connected_components(nx.DiGraph(pairs)))
        for node in members
    }
    assert quarantined(edges) == {(p, c) for p, c in pairs if component[p] == component[c]}


@given(worlds(), generations)
def test_where_used_is_the_closure_of_the_edges_kept(world: World, generation: Generation) -> None:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(row["id"] for row in world["partInventories"])
    graph.add_edges_from((line.parent, line.child) for line in lines(world, generation) if line.child is not None)
    component = {n: i for i, members in enumerate(nx.strongly_connected_components(graph)) for n in members}
    graph.remove_edges_from([(p, c, k) for p, c, k in graph.edges(keys=True) if component[p] == component[c]])

    expected = [
        {
            "component_part_inventory_id": component_id,
            "ancestor_part_inventory_id": ancestor,
            "min_depth": depth,
            "path_count": sum(1 for _ in nx.all_simple_edge_paths(graph, ancestor, component_id)),
        }
        for ancestor, depths in nx.all_pairs_shortest_path_length(graph)
        for component_id, depth in depths.items()
        if component_id != ancestor
    ]
    actual = genealogy.where_used(world, generation)
    if expected:
        assert_same(expected, actual, key=("component_part_inventory_id", "ancestor_part_inventory_id"))
    else:
        assert actual == []


@given(worlds(), generations)
def test_where_used_sums_the_paths_of_the_trees(world: World, generation: Generation) -> None:
    """Two ways to the same numbers: trees multiply down each path, where-used adds up from below."""
    paths = Counter[tuple[int, int]]()
    sums: dict[tuple[int, int], float] = {}
    for row in genealogy.hierarchy(world, generation):
        if row["depth"] and not row["is_open_requirement"]:
            pair = row["part_inventory_id"], row["root_part_inventory_id"]
            quantity = row["quantity_extended"]
            paths[pair] += 1
            sums[pair] = sums.get(pair, 0.0) + (math.nan if quantity is None else float(quantity))

    uses = {
        (row["component_part_inventory_id"], row["ancestor_part_inventory_id"]): row
        for row in genealogy.where_used(world, generation)
    }
    assert {pair: use["path_count"] for pair, use in uses.items()} == paths
    for pair, use in uses.items():
        if use["quantity_extended"] is None:
            assert math.isnan(sums[pair])
        else:
            assert math.isclose(sums[pair], use["quantity_extended"], rel_tol=1e-12)


@given(mirrored_worlds())
def test_both_generations_give_the_same_trees(world: World) -> None:
    first, second, both = (genealogy.hierarchy(world, generation) for generation in (1, 2, "both"))
    assert_same(tree_signature(second), tree_signature(first), key=("signature",))
    assert_same(second, both, key=("root_part_inventory_id", "path"))
    uses = genealogy.where_used(world, 2)
    key = ("component_part_inventory_id", "ancestor_part_inventory_id")
    if uses:
        assert_same(uses, genealogy.where_used(world, 1), key=key)


@given(worlds(), generations)
def test_every_unit_has_one_root_and_every_row_its_parent(world: World, generation: Generation) -> None:
    rows = genealogy.hierarchy(world, generation)
    keys = Counter((row["root_part_inventory_id"], row["path"]) for row in rows)
    assert set(keys.values()) == {1}
    assert {root for root, path in keys if not path} == {row["id"] for row in world["partInventories"]}
    assert all((root, path[:-1]) in keys for root, path in keys if path)
