"""Genealogy at scale: how long the models take, what they cost, and how fast one tree comes back.

    python -m benchmarks.genealogy_scale --units 1000000 --installations 5000000 --dir build/bench

Makes raw tables of a synthetic plant inside DuckDB, builds and tests the genealogy with dbt as a refresh does,
publishes, and reads trees and where-used from the published file. The numbers are printed as one JSON document.

The plant: assemblies on `levels` levels, each in one assembly of the level above and every fiftieth in a second one;
below them single serials, used once, and lots, used in many places; every hundredth requirement is open.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.dbt_build import build, remember
from ion_pipeline.extract.catalog import known_catalog
from ion_pipeline.warehouse.connection import Resources
from ion_pipeline.warehouse.publishing import publish
from ion_pipeline.warehouse.tables import ensure_tables

PARTS = 5_000


def generate(path: Path, *, units: int, installations: int, levels: int) -> None:
    """Fill the raw tables that the genealogy reads."""
    per_level = int(units * 0.288) // levels
    assemblies = per_level * levels
    serials = (units - assemblies) // 2
    lots_from = assemblies + serials
    with duckdb.connect(str(path)) as connection:
        ensure_tables(connection, known_catalog().tables.values())
        connection.execute(
            f"""
            create temp table edges as
            with assembly as (
                select i as id, (i // {per_level} - 1) * {per_level} as above
                from range({per_level}, {assemblies}) as t(i)
            )
            select above + hash(id) % {per_level} as parent, id as child from assembly
            union all
            select above + hash(id + 7) % {per_level}, id from assembly where id % 50 = 0
            union all
            select hash(i * 31) % {assemblies}, {assemblies} + i from range({serials}) as t(i);

            insert into edges
            select
                hash(i * 17 + 3) % {assemblies},
                {lots_from} + hash(i * 13 + 5) % {units - lots_from}
            from range({installations} - (select count(*) from edges)) as t(i);

            insert into raw.parts by name
            select
                i as id, 'PN-' || lpad(i::varchar, 6, '0') as part_number, 'A' as revision, 'PART' as part_type,
                'Bracket, machined, type ' || i as description, true as is_latest_revision
            from range({PARTS}) as t(i);

            insert into raw.part_inventories by name
            select
                i as id, i % {PARTS} as part_id,
                case when i < {lots_from} then 'SN' || lpad(i::varchar, 8, '0') end as serial_number,
                case when i >= {lots_from} then 'LOT' || lpad(i::varchar, 8, '0') end as lot_number,
                case when i < {lots_from} then 'SERIAL' else 'LOT' end as tracking_type,
                case when i < {lots_from} then 1 else 1000 end as quantity
            from range({units}) as t(i);

            create temp table lines as select row_number() over () as id, parent, child from edges;

            insert into raw.build_requirements by name
            select
                id, child % {PARTS} as part_id, false as made_on_assembly,
                id % 4 + 1 as quantity_per_parent_part_inventory
            from lines
            union all by name
            select {installations} + 1 + i as id, i % {PARTS} as part_id, 2 as quantity_per_parent_part_inventory
            from range({installations} // 100) as t(i);

            insert into raw.build_requirement_part_inventories by name
            select id as build_requirement_id, parent as part_inventory_id from lines
            union all
            select {installations} + 1 + i, hash(i) % {assemblies} from range({installations} // 100) as t(i);

            insert into raw.build_requirement_reference_designators by name
            select id as build_requirement_id, id, 'C' || id % 40 as value from lines where id % 3 = 0;

            insert into raw.abom_installations by name
            select
                id, id as build_requirement_id, child as part_inventory_id, id % 4 + 1 as quantity,
                case when id % 3 = 0 then id end as build_requirement_reference_designator_id,
                timestamptz '2026-01-01 00:00:00+00' + to_seconds(id) as _created
            from lines;
            """  # noqa: S608 -- nothing but numbers from the command line
        )
        remember(connection)


def latency(
    connection: duckdb.DuckDBPyConnection, sql: str, pick: Callable[[], object], times: int
) -> dict[str, float]:
    """Milliseconds of a query over random arguments: median and 95th percentile; and the median number of rows."""
    took, rows = [], []
    for _ in range(times):
        argument = pick()
        began = time.perf_counter()
        rows.append(len(connection.execute(sql, [argument]).fetchall()))
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(len(took) * 0.95) - 1], 1),
        "median_rows": statistics.median(rows),
    }


QUERIES = {
    "explode": "select * from genealogy.abom_hierarchy where root_part_inventory_id = ? order by sort_key",
    "explode_by_serial": """
        select tree.* from genealogy.abom_hierarchy as tree
        inner join reference.part_inventories as unit on unit.part_inventory_id = tree.root_part_inventory_id
        where unit.serial_number = 'SN' || lpad(?::varchar, 8, '0') order by sort_key""",
    "where_used": "select * from genealogy.abom_where_used where component_part_inventory_id = ?",
}


def main() -> None:
    """Generate, build, publish, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--installations", type=int, default=500_000)
    parser.add_argument("--levels", type=int, default=12)
    parser.add_argument("--memory-limit", default="6GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dir", type=Path, required=True, help="an empty folder for the warehouse")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.dir / "warehouse.duckdb"
    generate(path, units=arguments.units, installations=arguments.installations, levels=arguments.levels)
    report: dict[str, Any] = {"units": arguments.units, "installations": arguments.installations}
    report["build"] = build(path, arguments.dir, memory_limit=arguments.memory_limit, threads=arguments.threads)
    report["warehouse_gb"] = round(path.stat().st_size / 1e9, 2)
    with duckdb.connect(str(path), read_only=True) as connection:
        report["rows"] = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]  # noqa: S608
            for name in (
                "genealogy.abom_hierarchy",
                "genealogy.abom_where_used",
                "intermediate.int_abom__assembly_paths",
            )
        }
    published = publish(
        path,
        arguments.dir / "published",
        resources=Resources(memory_limit=arguments.memory_limit, threads=arguments.threads),
    )
    report["publish_seconds"] = round(published.seconds, 1)
    report["published_gb"] = round(published.bytes / 1e9, 2)
    chance = random.Random(7)
    assemblies = int(arguments.units * 0.288)
    with duckdb.connect(str(published.database), read_only=True) as connection:
        for name, sql in QUERIES.items():
            top = assemblies if name.startswith("explode") else arguments.units
            connection.execute(sql, [0]).fetchall()
            report[name] = latency(connection, sql, lambda top=top: chance.randrange(top), times=40)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
