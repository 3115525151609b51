"""Queries of the published genealogy, timed in three ways over the same random units in one run.

The ways are the tables and macros, a naive recursive query, and a Python dictionary.
"""

import math
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

# The query that a user would write with only the table of installations.
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
        """Return every unit under this one, once per path, with its quantity."""
        found, waiting = [], [(unit, 1.0)]
        while waiting:
            parent, so_far = waiting.pop()
            for child, quantity in self.below.get(parent, ()):
                found.append((child, so_far * quantity))
                waiting.append((child, so_far * quantity))
        return found

    def where_used(self, units: Iterable[int]) -> set[int]:
        """Return every unit that contains any of these."""
        found: set[int] = set()
        waiting = list(units)
        while waiting:
            for parent in self.above.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def recall(self, units: Iterable[int]) -> set[int]:
        """Return those of them that are installed in no other unit."""
        return {unit for unit in self.where_used(units) if unit not in self.above}


def timed(ask: Callable[[Any], Any], arguments: list[Any]) -> dict[str, float]:
    """Return median and 95th percentile in milliseconds, and median rows; the first argument only warms up."""
    took, rows = [], []
    for argument in arguments:
        began = time.perf_counter()
        rows.append(len(ask(argument)))
        took.append((time.perf_counter() - began) * 1000)
    took = sorted(took[1:])
    return {
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[math.ceil(len(took) * 0.95) - 1], 1),
        "median_rows": statistics.median(rows),
    }


@dataclass(frozen=True)
class Plant:
    """The ids that can be queried: ids of units are less than `units`, and so on; ids of lots begin at `lots_from`."""

    units: int
    assemblies: int
    lots_from: int
    plans: int


# The history begins with the only load: before it no unit existed, so all lines of a unit differ.
NOW = "timestamptz '2030-01-01 00:00:00+00'"
BEFORE = "timestamptz '2026-01-01 00:00:00+00'"


def measure(connection: duckdb.DuckDBPyConnection, plant: Plant) -> dict[str, Any]:
    """Time all queries of a published file, including each of its macros.

    Args:
        connection: The published file, open for reading.
        plant: The ids in the file.
    """
    chance = random.Random(7)

    def ids(start: int, end: int) -> list[int]:
        return [chance.randrange(start, end) for _ in range(TIMES + 1)]

    roots, parts = ids(0, plant.assemblies), ids(0, plant.units)
    pairs = list(zip(ids(0, plant.assemblies), ids(0, plant.assemblies), strict=True))
    # Units of one part, so that they differ in few lines.
    likes = _likes(connection, chance)
    plans = ids(0, plant.plans)
    plan_pairs = list(zip(plans, ids(0, plant.plans), strict=True))
    recalls = [[chance.randrange(plant.lots_from, plant.units) for _ in range(LOTS)] for _ in range(6)]
    lots = _lots(connection, [chance.choice(recalls[0]) for _ in range(TIMES + 1)])

    def sql(text: str) -> Callable[[Any], list[Any]]:
        return lambda given: connection.execute(text, list(given) if isinstance(given, tuple) else [given]).fetchall()

    plan = "'PN-' || lpad(?::varchar, 6, '0'), 'A'"
    asked: dict[str, tuple[str, list[Any]]] = {
        "abom_explode": ("from abom_explode(?::bigint)", roots),
        "abom_as_of": (f"from abom_as_of(?::bigint, {NOW})", roots),
        "abom_compare": ("from abom_compare(?::bigint, ?::bigint)", pairs),
        "abom_compare_of_one_part": ("from abom_compare(?::bigint, ?::bigint)", likes),
        "abom_compare_as_of": (f"from abom_compare_as_of(?::bigint, {BEFORE}, {NOW})", roots),
        "where_used": ("from where_used(?::bigint)", parts),
        "recall": ("from recall(?::varchar, ?::varchar)", lots),
        "recall_of_1000_lots": (RECALL, recalls),
        "mbom_explode": (f"from mbom_explode({plan})", plans),
        "mbom_explode_version": ("from mbom_explode_version(?::bigint)", plans),
        "mbom_as_of": (f"from mbom_as_of({plan}, {NOW})", plans),
        "mbom_compare": ("from mbom_compare(?::bigint, ?::bigint)", plan_pairs),
        "mbom_compare_as_of": (f"from mbom_compare_as_of({plan}, {BEFORE}, {NOW})", plans),
        "naive_explode": (NAIVE_EXPLODE, roots),
        "naive_where_used": (NAIVE_WHERE_USED, parts),
        "naive_recall_of_1000_lots": (NAIVE_RECALL, recalls[:3]),
    }
    report: dict[str, Any] = {name: timed(sql(text), given) for name, (text, given) in asked.items()}
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


def _likes(connection: duckdb.DuckDBPyConnection, chance: random.Random) -> list[tuple[int, int]]:
    """Return random pairs of neighbouring units of one part that have components."""
    found = connection.execute(
        "select part_inventory_id, "
        "lead(part_inventory_id) over (partition by part_id order by part_inventory_id) as next "
        "from genealogy.abom_configurations qualify next is not null order by all"
    ).fetchall()
    return [chance.choice(found) for _ in range(TIMES + 1)]


def _lots(connection: duckdb.DuckDBPyConnection, units: list[int]) -> list[tuple[str, str]]:
    """Return part number and lot number of each lot."""
    found = connection.execute(
        "select part_inventory_id, part_number, lot_number from reference.part_inventories "
        "where part_inventory_id in (select unnest(?::bigint[]))",
        [units],
    ).fetchall()
    named = {unit: (part, lot) for unit, part, lot in found}
    return [named[unit] for unit in units]


def closure_seconds(connection: duckdb.DuckDBPyConnection, model: str) -> dict[str, float]:
    """Return the seconds of the closure of assemblies, to which leaves are joined when it is read.

    Measured once with ids and quantities only, the least that a closure costs, and once as the model computes it, with
    printable paths and sorted: over the same rows, in the same connection.

    Args:
        connection: The warehouse, open for reading.
        model: The compiled `select` of `int_abom__assembly_paths`.
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
    plain = """
        with recursive paths as (
            select parent as root, child as unit, quantity, 1 as depth from assembly_edges
            union all
            select paths.root, below.child, paths.quantity * below.quantity, paths.depth + 1
            from paths inner join assembly_edges as below on paths.unit = below.parent
            where paths.depth < 64
        )
        select * from paths"""
    report: dict[str, float] = {}
    for name, select in (("plain", plain), ("model", model)):
        began = time.perf_counter()
        connection.execute(f"create temp table closure_{name} as {select}")
        report[f"{name}_seconds"] = round(time.perf_counter() - began, 2)
        row = connection.execute(f"select count(*) from closure_{name}").fetchone()  # noqa: S608 -- a name of ours
        report[f"{name}_rows"] = row[0] if row else 0
    return report
