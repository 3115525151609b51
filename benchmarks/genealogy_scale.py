"""Genealogy at scale: duration and cost of the models, and the time to query one tree.

    python -m benchmarks.genealogy_scale --units 1000000 --installations 5000000 --dir build/bench

Creates raw tables of a synthetic plant inside DuckDB, builds and tests the genealogy with dbt as a refresh does,
publishes, and runs the same queries with the published file, a naive recursive query and a Python dictionary. Only the
models of the genealogy are built, with their staging models and seeds. Progress goes to standard error; the numbers are
printed as one JSON document.

The plant: assemblies on `levels` levels, each in one assembly of the level above and every fiftieth in a second one;
under them single serials, used once, and lots, used in many places; every hundredth requirement is open.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.dbt_build import build, remember
from benchmarks.genealogy_queries import Plant, closure_seconds, measure
from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.pipeline.steps import analyst_macros
from ion_pipeline.publish.publish import publish
from ion_pipeline.warehouse.connection import Resources
from ion_pipeline.warehouse.tables import ensure_tables

PARTS = 5_000
# Parts with a plan; the others are bought.
PLANNED = 1_000


def generate(path: Path, *, units: int, installations: int, levels: int) -> None:
    """Fill the raw tables that the genealogy reads.

    Raises:
        ValueError: There are too few units for a lot of each bought part; 20,000 are enough.
    """
    per_level, step = int(units * 0.288) // levels, PLANNED // levels
    assemblies = per_level * levels
    serials = (units - assemblies) // 2
    lots_from, bought = assemblies + serials, PARTS - PLANNED
    first_lot = -(-lots_from // bought) * bought
    lots_a_part = (units - first_lot) // bought
    if lots_a_part < 1:
        raise ValueError(f"{units:,} units leave no lot for each of {bought:,} bought parts; 20,000 are enough.")
    with duckdb.connect(str(path)) as connection:
        ensure_tables(connection, known_catalog().tables.values())
        connection.execute(
            f"""
            create temp table edges as
            with assembly as (
                select i as id, (i // {per_level} - 1) * {per_level} as above
                from range({per_level}, {assemblies}) as t(i)
            )
            select above + hash(id) % {per_level} as parent, id as child, 0 as plan_line from assembly
            union all
            select above + hash(id + 7) % {per_level}, id, 1 from assembly where id % 50 = 0
            union all
            select hash(i * 31) % {assemblies}, {assemblies} + i, 19 from range({serials}) as t(i);

            -- Units of one part are built alike, but for every thirtieth line; each takes from another lot. A place
            -- has its designator in the plan, so it is the same in all of them.
            insert into edges
            select
                unit,
                {first_lot} + {bought} * (hash(unit * 17 + line) % {lots_a_part})
                + hash(
                    case when hash(unit * 31 + line) % 30 = 0 then unit * 97 else unit % {PLANNED} * 20 end + line
                ) % {bought},
                line
            from range({assemblies}) as u(unit),
                range(2, 2 + ({installations} - (select count(*) from edges)) // {assemblies}) as l(line);

            insert into raw.parts by name
            select
                i as id, 'PN-' || lpad(i::varchar, 6, '0') as part_number, 'A' as revision, 'PART' as part_type,
                'Bracket, machined, type ' || i as description, true as is_latest_revision
            from range({PARTS}) as t(i);

            insert into raw.part_inventories by name
            select
                i as id,
                case
                    when i < {assemblies} then i % {PLANNED}
                    when i < {lots_from} then
                        {PLANNED} + hash(hash((i - {assemblies}) * 31) % {assemblies} % {PLANNED} * 20 + 19) % {bought}
                    else {PLANNED} + i % {bought}
                end as part_id,
                case when i < {lots_from} then 'SN' || lpad(i::varchar, 8, '0') end as serial_number,
                case when i >= {lots_from} then 'LOT' || lpad(i::varchar, 8, '0') end as lot_number,
                case when i < {lots_from} then 'SERIAL' else 'LOT' end as tracking_type,
                case when i < {lots_from} then 1 else 1000 end as quantity
            from range({units}) as t(i);

            create temp table lines as select row_number() over () as id, parent, child, plan_line from edges;

            insert into raw.mboms by name
            select
                i as id, i as part_id, 1 as version, 'RELEASED' as status, true as is_latest_version,
                timestamptz '2025-12-01 00:00:00+00' as _created
            from range({PLANNED}) as t(i);

            -- Twenty lines each: one or two assemblies of the next level, the rest bought.
            insert into raw.mbom_items by name
            select
                mbom * 20 + line as id, mbom as mbom_id, line % 4 + 1 as quantity,
                case
                    when (line = 0 or line = 1 and mbom % 4 = 0) and mbom + {step} < {PLANNED}
                        then (mbom // {step} + 1) * {step} + hash(mbom + line) % {step}
                    else {PLANNED} + hash(mbom * 20 + line) % {bought}
                end as part_id
            from range({step * levels}) as m(mbom), range(20) as l(line);

            insert into raw.build_requirements by name
            select
                lines.parent % {PLANNED} * 20 + lines.plan_line as origin_mbom_item_id, lines.id, children.part_id,
                false as made_on_assembly, lines.plan_line % 4 + 1 as quantity_per_parent_part_inventory
            from lines inner join raw.part_inventories as children on lines.child = children.id
            union all by name
            select {installations} + 1 + i as id, i % {PARTS} as part_id, 2 as quantity_per_parent_part_inventory
            from range({installations} // 100) as t(i);

            insert into raw.build_requirement_part_inventories by name
            select id as build_requirement_id, parent as part_inventory_id from lines
            union all
            select {installations} + 1 + i, hash(i) % {assemblies} from range({installations} // 100) as t(i);

            insert into raw.build_requirement_reference_designators by name
            select id as build_requirement_id, id, 'C' || plan_line as value from lines where plan_line % 3 = 0;

            insert into raw.abom_installations by name
            select
                id, id as build_requirement_id, child as part_inventory_id, plan_line % 4 + 1 as quantity,
                case when plan_line % 3 = 0 then id end as build_requirement_reference_designator_id,
                timestamptz '2026-01-01 00:00:00+00' + to_seconds(id) as _created
            from lines;
            """  # noqa: S608 -- nothing but numbers from the command line
        )
        remember(connection)


def say(what: str) -> None:
    """Print the progress to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Generate, build, publish, query, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--installations", type=int, default=500_000)
    parser.add_argument("--levels", type=int, default=12)
    parser.add_argument("--memory-limit", default="6GB", help="DuckDB's own; its process needs up to a fifth more")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dir", type=Path, required=True, help="an empty folder for the warehouse")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.dir / "warehouse.duckdb"
    say(f"generating {arguments.units:,} units, {arguments.installations:,} installations")
    generate(path, units=arguments.units, installations=arguments.installations, levels=arguments.levels)
    report: dict[str, Any] = {"units": arguments.units, "installations": arguments.installations}
    say("building the genealogy")
    report["build"] = build(
        path,
        arguments.dir,
        memory_limit=arguments.memory_limit,
        threads=arguments.threads,
        select="+path:models/marts/genealogy",
    )
    report["warehouse_gb"] = round(path.stat().st_size / 1e9, 2)
    limits = {"memory_limit": arguments.memory_limit, "threads": arguments.threads}
    with duckdb.connect(str(path), read_only=True, config=limits) as connection:
        report["rows"] = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]  # noqa: S608
            for name in (
                "genealogy.abom_hierarchy",
                "genealogy.abom_where_used",
                "genealogy.abom_versions",
                "genealogy.abom_line_history",
                "genealogy.abom_conformance",
                "intermediate.int_abom__assembly_paths",
            )
        }
        say("the closure by itself, in both ways")
        compiled = arguments.dir / "target/compiled/ion_warehouse/models/intermediate/abom/int_abom__assembly_paths.sql"
        report["closure"] = closure_seconds(connection, compiled.read_text(encoding="utf-8"))
    say("publishing")
    published = publish(
        path,
        arguments.dir / "published",
        sql_files=analyst_macros(),
        resources=Resources(memory_limit=arguments.memory_limit, threads=arguments.threads),
    )
    report["publish_seconds"] = round(published.seconds, 1)
    report["published_gb"] = round(published.bytes / 1e9, 2)
    assemblies = int(arguments.units * 0.288) // arguments.levels * arguments.levels
    lots_from = assemblies + (arguments.units - assemblies) // 2
    plant = Plant(
        units=arguments.units,
        assemblies=assemblies,
        lots_from=lots_from,
        plans=PLANNED // arguments.levels * arguments.levels,
    )
    say("asking")
    with duckdb.connect(str(published.database), read_only=True, config=limits) as connection:
        report |= measure(connection, plant)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
