"""Quality and production at scale: duration and cost of all models over a plant with many measurements.

    python -m benchmarks.quality_scale --measurements 10000000 --run-steps 1000000 --dir build/bench

Creates raw tables of a synthetic plant inside DuckDB and builds and tests every model with dbt as a refresh does. The
numbers are printed as one JSON document.

The plant: 50 procedures of ten steps, each on four parts. Each run has ten steps on its own serial and a session per
step. Each step has as many fields as the requested measurements need; one in ten of them is true or false, the others
are numbers with a lower and an upper limit, which one in 200 violates. One step in 200 has an issue, one in 500 a
redline, one in 1,000 fails. For every ten runs one lot is bought, received and installed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.dbt_build import build, remember
from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.warehouse.tables import ensure_tables

PROCEDURES = 50
STEPS = 10
PARTS_PER_PROCEDURE = 4
MARTS = (
    "production.runs", "production.run_steps", "production.labor_sessions", "quality.measurements",
    "quality.process_capability", "quality.control_chart_points", "quality.first_pass_yield", "quality.issues",
    "quality.defect_rates", "quality.supplier_quality", "supply.purchase_order_lines",
)  # fmt: skip

# Two years of production before the load.
_BEGIN = "timestamptz '2024-05-01 08:00:00+00'"
_SECONDS = 2 * 365 * 86_400


def generate(path: Path, *, measurements: int, run_steps: int) -> None:
    """Fill the raw tables that production, quality and supply read."""
    runs = run_steps // STEPS
    fields = measurements // run_steps
    with duckdb.connect(str(path)) as connection:
        ensure_tables(connection, known_catalog().tables.values())
        for statement in (
            _people_and_parts(runs),
            _plans(fields),
            _production(runs, fields),
            _findings(runs),
            _supply(runs),
        ):
            connection.execute(statement)
        remember(connection)


def _people_and_parts(runs: int) -> str:
    return f"""
        insert into raw.users by name select i as id, 'Person ' || i as name from range(100) as t(i);
        insert into raw.locations by name select i as id, 'Cell ' || i as name from range(40) as t(i);
        insert into raw.suppliers by name select i as id, 'Supplier ' || i as name from range(20) as t(i);

        insert into raw.parts by name
        select
            i as id, 'PN-' || lpad(i::varchar, 4, '0') as part_number, 'A' as revision, 'PART' as part_type,
            'Bracket, machined, type ' || i as description, true as is_latest_revision
        from range({PROCEDURES * PARTS_PER_PROCEDURE + 100}) as t(i);

        insert into raw.part_inventories by name
        select
            r as id, {_part("r")} as part_id, 'SN' || lpad(r::varchar, 8, '0') as serial_number,
            'SERIAL' as tracking_type, 1 as quantity, r % 40 as location_id, 'AVAILABLE' as status,
            {_at(runs, "r", 0)} as _created, {_at(runs, "r", 40)} as _updated
        from range({runs}) as t(r)
        union all by name
        select
            {runs} + l as id, {PROCEDURES * PARTS_PER_PROCEDURE} + l % 100 as part_id,
            'LOT' || lpad(l::varchar, 8, '0') as lot_number, 'LOT' as tracking_type, 100 as quantity,
            l % 20 as supplier_id, 'AVAILABLE' as status, {_at(runs, "l * 10", -400)} as _created,
            {_at(runs, "l * 10", -400)} as _updated
        from range({runs // 10}) as t(l);
        """  # noqa: S608 -- nothing but numbers from the command line


def _plans(fields: int) -> str:
    return f"""
        insert into raw.procedures by name
        select i as id, i as family_id, 1 as version, 'Procedure ' || i as title, 'RELEASED' as status,
            true as is_latest_released_version, true as is_latest_version
        from range({PROCEDURES}) as t(i);

        insert into raw.steps by name
        select i as id, i // {STEPS} as procedure_id, 'Step ' || i % {STEPS} as title, i % {STEPS} as position,
            'CONTENT' as type
        from range({PROCEDURES * STEPS}) as t(i);

        insert into raw.step_fields by name
        select i as id, i // {fields} as step_id, 'Field ' || i % {fields} as name, i % {fields} as position,
            case when i % {fields} % 10 = 9 then 'BOOLEAN' else 'NUMBER' end as type, 'mm' as unit
        from range({PROCEDURES * STEPS * fields}) as t(i);

        insert into raw.validation_functions by name
        select * from (values (1, 'at least'), (2, 'at most')) as t(id, function_name);

        insert into raw.step_field_validations by name
        select id * 2 + side as id, id as field_id, 1 + side as function_id, 9.95 + side * 0.1 as value
        from raw.step_fields cross join range(2) as t(side)
        where type = 'NUMBER';
        """  # noqa: S608 -- nothing but numbers from the command line


def _production(runs: int, fields: int) -> str:
    return f"""
        insert into raw.runs by name
        select
            r as id, r % {PROCEDURES} as procedure_id, {_part("r")} as part_id, r as part_inventory_id, 1 as quantity,
            'Run ' || r as title,
            case when r % 100 = 1 then 'CANCELED' when r % 20 = 2 then 'IN_PROGRESS' else 'COMPLETE' end as status,
            {_at(runs, "r", 0)} as _created, {_at(runs, "r", 40)} as _updated
        from range({runs}) as t(r);

        insert into raw.run_origin_part_inventories by name
        select id as run_id, part_inventory_id from raw.runs;

        insert into raw.run_steps by name
        select
            i as id, i // {STEPS} as run_id, runs.procedure_id * {STEPS} + i % {STEPS} as origin_step_id,
            'Step ' || i % {STEPS} as title, 'CONTENT' as type, i % {STEPS} as position,
            case
                when runs.status = 'CANCELED' then 'CANCELED'
                when runs.status = 'IN_PROGRESS' and i % {STEPS} > 6 then 'TODO'
                when i % 997 = 5 then 'FAILED'
                else 'COMPLETE'
            end as status,
            case when status = 'TODO' then null else runs._created + to_hours(4 * (i % {STEPS})) end as start_time,
            case when status = 'TODO' then null else runs._created + to_hours(4 * (i % {STEPS}) + 3) end as end_time,
            i % 100 as started_by_id, (i + 1) % 100 as completed_by_id, i % 40 as location_id,
            runs._created, runs._created + to_hours(4 * (i % {STEPS}) + 3) as _updated
        from range({runs * STEPS}) as t(i)
        inner join raw.runs on i // {STEPS} = runs.id;

        insert into raw.run_step_sessions by name
        select id as run_step_id, id::varchar as id, start_time as check_in, end_time as check_out,
            started_by_id as created_by_id, start_time as _created
        from raw.run_steps
        where start_time is not null;

        insert into raw.run_step_fields by name
        select
            m as id, run_steps.id as run_step_id, run_steps.origin_step_id * {fields} + m % {fields} as origin_field_id,
            'Field ' || m % {fields} as name, m % {fields} as position, 'mm' as unit,
            case when m % {fields} % 10 = 9 then 'BOOLEAN' else 'NUMBER' end as type,
            m % 499 = 7 as not_applicable,
            case
                when m % 499 = 7 or run_steps.end_time is null then null
                when m % {fields} % 10 = 9 then 'true'
                else round(10 + 0.04 * (
                    (hash(m) % 1000 + hash(m * 3 + 1) % 1000 + hash(m * 7 + 5) % 1000)::bigint - 1500
                ) / 1000, 4)::varchar
            end as value,
            run_steps.completed_by_id as updated_by_id, run_steps._created,
            coalesce(run_steps.end_time, run_steps._created) - to_minutes(m % {fields}) as _updated
        from range({runs * STEPS * fields}) as t(m)
        inner join raw.run_steps on m // {fields} = run_steps.id;

        insert into raw.run_step_field_validations by name
        select
            fields.id * 2 + side as id, fields.id as run_step_field_id,
            fields.origin_field_id * 2 + side as validation_id, 1 + side as function_id, 9.95 + side * 0.1 as value,
            case
                when fields.value is null then 'PENDING'
                when side = 0 and fields.value::double >= 9.95 or side = 1 and fields.value::double <= 10.05 then 'PASS'
                else 'FAIL'
            end as result
        from raw.run_step_fields as fields
        cross join range(2) as t(side)
        where fields.type = 'NUMBER';
        """  # noqa: S608 -- nothing but numbers from the command line


def _findings(runs: int) -> str:
    return f"""
        insert into raw.issue_disposition_types by name
        select * from (values (1, 'Use As Is'), (2, 'Rework'), (3, 'Scrap')) as t(id, title);

        insert into raw.issues by name
        select
            id // 200 as id, 'Found ' || id % 7 as title, id as run_step_id,
            id // 200 % 3 + 1 as issue_disposition_type_id,
            case when id // 200 % 10 < 7 then 'RESOLVED' else 'IN_PROGRESS' end as status,
            coalesce(end_time, _created) as _created, coalesce(end_time, _created) + to_days(id // 200 % 30) as _updated
        from raw.run_steps
        where id % 200 = 0;

        insert into raw.issue_part_inventories by name
        select id as issue_id, run_step_id // {STEPS} as part_inventory_id, _created from raw.issues
        where run_step_id // {STEPS} < {runs};

        insert into raw.redlines by name
        select id // 500 as id, id as step_id, start_time as _created, start_time as _updated, true as approved
        from raw.run_steps
        where id % 500 = 0 and start_time is not null;
        """  # noqa: S608 -- nothing but numbers from the command line


def _supply(runs: int) -> str:
    lots = runs // 10
    return f"""
        insert into raw.purchase_orders by name
        select i as id, i % 20 as supplier_id, 'ORDERED' as status, {_at(runs, "i * 100", -900)} as _created
        from range({lots} // 10 + 1) as t(i);

        insert into raw.purchase_order_lines by name
        select
            l as id, l // 10 as purchase_order_id, {PROCEDURES * PARTS_PER_PROCEDURE} + l % 100 as part_id,
            100 as quantity, 100 as received_quantity, 'RECEIVED' as status,
            {_at(runs, "l * 10", -410)} + to_days(l % 5 - 2) as estimated_arrival_date,
            {_at(runs, "l * 10", -900)} as _created
        from range({lots}) as t(l);

        insert into raw.receipts by name
        select id, {_at(runs, "id * 10", -400)} as received_at, {_at(runs, "id * 10", -400)} as _created
        from raw.purchase_order_lines;

        insert into raw.receipt_items by name
        select
            id, id as receipt_id, id as purchase_order_line_id, {runs} + id as part_inventory_id, 100 as quantity,
            {_at(runs, "id * 10", -400)} as _created
        from raw.purchase_order_lines;

        insert into raw.build_requirements by name
        select
            r as id, {PROCEDURES * PARTS_PER_PROCEDURE} + r // 10 % 100 as part_id, false as made_on_assembly,
            1 as quantity_per_parent_part_inventory
        from range({lots * 10}) as t(r);

        insert into raw.build_requirement_part_inventories by name
        select id as build_requirement_id, id as part_inventory_id from raw.build_requirements;

        insert into raw.abom_installations by name
        select
            id, id as build_requirement_id, {runs} + id // 10 as part_inventory_id, 1 as quantity,
            {_at(runs, "id", 2)} as _created
        from raw.build_requirements;
        """  # noqa: S608 -- nothing but numbers from the command line


def _part(run: str) -> str:
    """Return the SQL of the part of a run: one of the parts of its procedure."""
    return f"{run} % {PROCEDURES} * {PARTS_PER_PROCEDURE} + {run} // {PROCEDURES} % {PARTS_PER_PROCEDURE}"


def _at(runs: int, run: str, hours: int) -> str:
    """Return the SQL of the instant some hours after a run was created; runs are spread evenly over the period."""
    return f"({_BEGIN} + to_seconds(({run}) * {_SECONDS / runs!r} + {hours * 3600}))"


def main() -> None:
    """Generate, build, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measurements", type=int, default=1_000_000)
    parser.add_argument("--run-steps", type=int, default=100_000)
    parser.add_argument("--memory-limit", default="6GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dir", type=Path, required=True, help="an empty folder for the warehouse")
    arguments = parser.parse_args()
    if arguments.measurements < arguments.run_steps or arguments.run_steps < STEPS:
        parser.error(f"at least one measurement per run step and {STEPS} run steps")
    arguments.dir.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.dir / "warehouse.duckdb"
    generate(path, measurements=arguments.measurements, run_steps=arguments.run_steps)
    report: dict[str, Any] = {"measurements": arguments.measurements, "run_steps": arguments.run_steps}
    report["raw_gb"] = round(path.stat().st_size / 1e9, 2)
    report["build"] = build(path, arguments.dir, memory_limit=arguments.memory_limit, threads=arguments.threads)
    report["warehouse_gb"] = round(path.stat().st_size / 1e9, 2)
    with duckdb.connect(str(path), read_only=True) as connection:
        report["rows"] = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]  # noqa: S608
            for name in MARTS
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
