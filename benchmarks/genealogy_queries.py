"""Questions to the published genealogy, asked in three ways over the same random units in one run.

Of the tables and macros, of a naive recursive query, and of a Python dictionary.
"""

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

TIMES = 40
LOTS = 1000

# What somebody writes who has only the table of installations.
NAIVE_EXPLODE = """
    with recursive tree as (
        select child_part_inventory_id as unit, quantity, 1 as depth
        from genealogy.abom_installations where parent_part_inventory_id = ?
        union all
        select below.child_part_inventory_id, tree.quantity * below.quantity, tree.depth + 1
        from tree inner join genealogy.abom_installations as below on tree.unit = below.parent_part_inventory_id
        where tree.depth < 64
    )
    select * from tree"""
NAIVE_WHERE_USED = """
    with recursive above as (
        select parent_part_inventory_id as unit, 1 as depth
        from genealogy.abom_installations where child_part_inventory_id = ?
        union all
        select up.parent_part_inventory_id, above.depth + 1
        from above inner join genealogy.abom_installations as up on above.unit = up.child_part_inventory_id
        where above.depth < 64
    )
    select unit, min(depth), count(*) from above group by unit"""
NAIVE_RECALL = """
    with recursive above as (
        select distinct parent_part_inventory_id as unit
        from genealogy.abom_installations where child_part_inventory_id in (select unnest(?::bigint[]))
        union
        select up.parent_part_inventory_id
        from above inner join genealogy.abom_installations as up on above.unit = up.child_part_inventory_id
    )
    select unit from above where unit not in (select child_part_inventory_id from genealogy.abom_installations)"""
RECALL = """
    select distinct ancestor_part_inventory_id from genealogy.abom_where_used
    where is_top_level and component_part_inventory_id in (select unnest(?::bigint[]))"""


@dataclass
class Walk:
    """The installations in two dictionaries."""

    below: dict[int, list[tuple[int, float]]]
    above: dict[int, list[int]]
    seconds: float

    @classmethod
    def load(cls, connection: duckdb.DuckDBPyConnection) -> "Walk":
        """Read all installations."""
        began = time.perf_counter()
        below: dict[int, list[tuple[int, float]]] = defaultdict(list)
        above: dict[int, list[int]] = defaultdict(list)
        rows = connection.execute(
            "select parent_part_inventory_id, child_part_inventory_id, quantity from genealogy.abom_installations"
        )
        while chunk := rows.fetchmany(200_000):
            for parent, child, quantity in chunk:
                below[parent].append((child, quantity))
                above[child].append(parent)
        return cls(below, above, time.perf_counter() - began)

    def explode(self, unit: int) -> list[tuple[int, float]]:
        """Every unit below, once per path, with its quantity."""
        found, waiting = [], [(unit, 1.0)]
        while waiting:
            parent, so_far = waiting.pop()
            for child, quantity in self.below.get(parent, ()):
                found.append((child, so_far * quantity))
                waiting.append((child, so_far * quantity))
        return found

    def where_used(self, units: Iterable[int]) -> set[int]:
        """Every unit above any of these."""
        found: set[int] = set()
        waiting = list(units)
        while waiting:
            for parent in self.above.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def recall(self, units: Iterable[int]) -> set[int]:
        """Those of them that are installed nowhere."""
        return {unit for unit in self.where_used(units) if unit not in self.above}


def timed(ask: Callable[[Any], Any], arguments: list[Any]) -> dict[str, float]:
    """Milliseconds over arguments, the first of which only warms up: median, 95th percentile, median rows."""
    took, rows = [], []
    for argument in arguments:
        began = time.perf_counter()
        rows.append(len(ask(argument)))
        took.append((time.perf_counter() - began) * 1000)
    took = sorted(took[1:])
    return {
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(len(took) * 0.95) - 1], 1),
        "median_rows": statistics.median(rows),
    }


def measure(connection: duckdb.DuckDBPyConnection, *, units: int, assemblies: int, lots_from: int) -> dict[str, Any]:
    """Ask everything of a published file.

    Args:
        connection: The published file, open for reading.
        units: Ids of units are below this.
        assemblies: Ids of assemblies are below this.
        lots_from: Ids of lots are this and above.
    """
    chance = random.Random(7)
    roots = [chance.randrange(assemblies) for _ in range(TIMES + 1)]
    parts = [chance.randrange(units) for _ in range(TIMES + 1)]
    pairs = [(chance.randrange(assemblies), chance.randrange(assemblies)) for _ in range(TIMES + 1)]
    recalls = [[chance.randrange(lots_from, units) for _ in range(LOTS)] for _ in range(6)]

    def sql(text: str) -> Callable[[Any], list[Any]]:
        return lambda given: connection.execute(text, list(given) if isinstance(given, tuple) else [given]).fetchall()

    now = "timestamptz '2030-01-01 00:00:00+00'"
    report: dict[str, Any] = {
        "abom_explode": timed(sql("from abom_explode(?::bigint)"), roots),
        "where_used": timed(sql("from where_used(?::bigint)"), parts),
        "abom_as_of": timed(sql(f"from abom_as_of(?::bigint, {now})"), roots),
        "abom_compare": timed(sql("from abom_compare(?::bigint, ?::bigint)"), pairs),
        "recall_of_1000_lots": timed(sql(RECALL), recalls),
        "naive_explode": timed(sql(NAIVE_EXPLODE), roots),
        "naive_where_used": timed(sql(NAIVE_WHERE_USED), parts),
        "naive_recall_of_1000_lots": timed(sql(NAIVE_RECALL), recalls[:3]),
    }
    walk = Walk.load(connection)
    report["dictionary_load_seconds"] = round(walk.seconds, 1)
    report["dictionary_explode"] = timed(walk.explode, roots)
    report["dictionary_where_used"] = timed(lambda unit: walk.where_used([unit]), parts)
    report["dictionary_recall_of_1000_lots"] = timed(walk.recall, recalls[:3])
    same = {row[0] for row in connection.execute(RECALL, [recalls[0]]).fetchall()}
    assert (
        same == walk.recall(recalls[0]) == {row[0] for row in connection.execute(NAIVE_RECALL, [recalls[0]]).fetchall()}
    )
    return report


def closure_seconds(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Seconds of the plain closure of assemblies, ids and quantities only: what a closure costs at least.

    Args:
        connection: The warehouse, open for reading.
    """
    connection.execute(
        """
        create temp table assembly_edges as
        select
            lines.parent_part_inventory_id as parent, lines.part_inventory_id as child,
            lines.quantity_per_piece as quantity
        from intermediate.int_abom__tree_lines as lines
        where lines.part_inventory_id in (select parent_part_inventory_id from intermediate.int_abom__tree_lines)
        """
    )
    began = time.perf_counter()
    connection.execute(
        """
        create temp table closure as
        with recursive paths as (
            select parent as root, child as unit, quantity, 1 as depth from assembly_edges
            union all
            select paths.root, below.child, paths.quantity * below.quantity, paths.depth + 1
            from paths inner join assembly_edges as below on paths.unit = below.parent
            where paths.depth < 64
        )
        select * from paths
        """
    )
    seconds = time.perf_counter() - began
    row = connection.execute("select count(*) from closure").fetchone()
    return {"plain_closure_seconds": round(seconds, 2), "plain_closure_rows": row[0] if row else 0}
