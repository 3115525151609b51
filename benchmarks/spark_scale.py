"""The models at scale on Spark in local mode, next to DuckDB over the same plant.

    python -m benchmarks spark genealogy --units 1000000 --installations 5000000 --dir build/bench
    python -m benchmarks spark quality --measurements 10000000 --run-steps 1000000 --dir build/bench

The plants are those of the suites `genealogy` and `quality`. DuckDB builds and tests the models as there. Then the raw
tables are committed to a lake as one load, Spark builds the same models and tests from it as a refresh with
`ION_ENGINE=spark` does, in a session with the product's own settings, and the public tables are imported into a DuckDB
file and compared with DuckDB's: number of rows, and a digest of all columns without doubles, whose sums are compared.
It needs the environment of `make test-spark`. Progress goes to standard error; the numbers are one JSON document.

Spark's own counters (its metrics system) give the processor time of tasks, the garbage collector's time, and the bytes
that were shuffled and spilled.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from benchmarks import genealogy_scale, quality_scale
from benchmarks.dbt_build import build
from benchmarks.genealogy_scale import say
from benchmarks.processes import Tree
from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.lake import TableRead, claim_tenant
from ion_pipeline.pipeline.dbt.process import prepared_manifest
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport
from ion_pipeline.pipeline.dbt.spark.building import build_folder, import_tables, request_of, run_request
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse.sql import identifier

GENEALOGY = "+path:models/marts/genealogy"
_METRICS = """\
spark.metrics.conf.*.sink.csv.class org.apache.spark.metrics.sink.CsvSink
spark.metrics.conf.*.sink.csv.period 10
spark.metrics.conf.*.sink.csv.unit seconds
spark.metrics.conf.*.sink.csv.directory {folder}
"""
# Spark's counters, in seconds or GB: nanoseconds, milliseconds or bytes there.
_COUNTERS = {
    "cpuTime": ("tasks_processor_seconds", 1e9),
    "deserializeCpuTime": ("tasks_unpacking_processor_seconds", 1e9),
    "runTime": ("tasks_seconds", 1e3),
    "jvmGCTime": ("tasks_collector_seconds", 1e3),
    "shuffleBytesWritten": ("shuffled_gb", 1e9),
    "memoryBytesSpilled": ("spilled_from_memory_gb", 1e9),
    "diskBytesSpilled": ("spilled_to_disk_gb", 1e9),
    "bytesRead": ("read_gb", 1e9),
    "bytesWritten": ("written_gb", 1e9),
}
# Short commands, and threads of Java before they become one, are left out.
_LEAST = 0.5
_SLOWEST = 16
_BATCH = 100_000


def commit(settings: Settings) -> None:
    """Commit the raw tables of the warehouse to the lake as one full load, and name it in the load log."""
    tables = known_catalog().tables
    schemas = {name: table.arrow_schema for name, table in tables.items()}
    tenant = claim_tenant(settings.data_dir, 1, "benchmark.example.com")
    with (
        duckdb.connect(str(settings.warehouse_path)) as connection,
        open_lake(settings).begin(tenant, schemas) as writer,
    ):
        for name, schema in schemas.items():
            columns = ", ".join(identifier(column) for column in schema.names)
            for batch in connection.sql(f"select {columns} from raw.{name}").to_arrow_reader(_BATCH):  # noqa: S608 -- names of the catalog
                values = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
                writer.write(name, pa.RecordBatch.from_arrays(values, schema=schema))
        manifest = writer.commit(
            {name: TableRead(table.entity, nested=table.is_child) for name, table in tables.items()}
        )
        connection.execute("update raw._ion_loads set load_id = $load", {"load": manifest.load_id})


def spark_build(settings: Settings, select: str | None, imported: Path) -> dict[str, Any]:
    """Build and test models on Spark, import the public ones into a file, and return what that took."""
    counters = settings.data_dir / "counters"
    configuration = settings.data_dir / "conf"
    for folder in (counters, configuration):
        folder.mkdir()
    (configuration / "spark-defaults.conf").write_text(_METRICS.format(folder=counters.absolute()), encoding="utf-8")
    os.environ["SPARK_CONF_DIR"] = str(configuration.absolute())
    manifest = orjson.loads(prepared_manifest(settings).read_bytes())
    chosen = ["--select", select, "--indirect-selection", "buildable"] if select else []
    failed = ""
    derived = [0.0]
    began = time.perf_counter()

    def heard(line: str) -> None:
        print(line, file=sys.stderr, flush=True)
        if "derived from the lake" in line:
            derived.append(time.perf_counter() - began)

    with build_folder(settings) as folder, Tree() as tree:
        try:
            report = run_request(settings, request_of(settings, manifest, folder), arguments=chosen, on_line=heard)
        except BuildError as error:
            report, failed = error.report, str(error)
        seconds = time.perf_counter() - began
        used = {name: value for name, value in tree.processor_seconds.items() if value >= _LEAST}
        found: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "deriving_seconds": round(derived[-1], 1),
            "processor_seconds": {name: round(used[name], 1) for name in used},
            "peak_memory_gb": {name: round(tree.peak_gb[name], 2) for name in used},
            "counters": read_counters(counters),
            **_nodes(report),
            "failed": failed,
        }
        began, own = time.perf_counter(), time.process_time()
        found["rows_imported"] = _import(imported, manifest, report, folder)
        found["import_seconds"] = round(time.perf_counter() - began, 1)
        found["import_processor_seconds"] = round(time.process_time() - own, 1)
    return found


def read_counters(folder: Path) -> dict[str, float]:
    """The last value of each of Spark's counters, in the units of `_COUNTERS`."""
    found = {}
    for name, (label, unit) in _COUNTERS.items():
        (path,) = folder.glob(f"*.driver.executor.{name}.csv")
        found[label] = round(int(path.read_text(encoding="utf-8").splitlines()[-1].split(",")[1]) / unit, 2)
    return found


def _nodes(report: BuildReport) -> dict[str, Any]:
    models = [node for node in report.nodes if node.unique_id.startswith("model.")]
    slowest = sorted(report.nodes, key=lambda node: -node.seconds)[:_SLOWEST]
    statuses = [node.status for node in report.nodes]
    return {
        "models": len(models),
        "models_seconds": round(sum(node.seconds for node in models), 1),
        "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
        "nodes": {node.unique_id.split(".")[2][:50]: round(node.seconds, 1) for node in slowest},
    }


def _import(path: Path, manifest: Mapping[str, Any], report: BuildReport, folder: str) -> int:
    built = {node.unique_id for node in report.nodes if node.status == "success"}
    nodes = {name: node for name, node in manifest["nodes"].items() if name in built}
    with duckdb.connect(str(path)) as connection:
        import_tables(connection, {"nodes": nodes}, folder)
        return sum(count for (count,) in connection.execute("select estimated_size from duckdb_tables()").fetchall())


def compare(duckdb_built: Path, spark_built: Path) -> dict[str, Any]:
    """The rows of each table of the second file, which are those of the first, and where they are not."""
    with duckdb.connect(str(duckdb_built), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{spark_built}' as spark (read_only)")
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'spark' order by all"
        ).fetchall()
        rows, different = {}, {}
        for schema, table in names:
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns() where database_name = 'spark' "
                "and schema_name = $schema and table_name = $table order by column_index",
                {"schema": schema, "table": table},
            ).fetchall()
            found = _summary(connection, ("spark", schema, table), columns)
            expected = _summary(connection, (schema, table), columns)
            rows[f"{schema}.{table}"] = found["rows"]
            if wrong := {
                name: [value, found[name]] for name, value in expected.items() if not _same(value, found[name])
            }:
                different[f"{schema}.{table}"] = wrong
    large = dict(sorted(rows.items(), key=lambda one: -one[1])[:_SLOWEST])
    return {"tables": len(rows), "rows": sum(rows.values()), "largest": large, "different": different}


def _summary(
    connection: duckdb.DuckDBPyConnection, place: tuple[str, ...], columns: list[tuple[str, str]]
) -> dict[str, Any]:
    """Number of rows, a digest of all exact columns of each row, and digest or sum of each column."""
    exact = [name for name, kind in columns if "DOUBLE" not in kind and "FLOAT" not in kind]
    parts = {"rows": "count(*)", "all exact columns": f"sum(hash({', '.join(map(identifier, exact))})::hugeint)"}
    for name, kind in columns:
        if kind == "DOUBLE":
            parts[name] = f"sum(case when isfinite({identifier(name)}) then {identifier(name)} end)"
        elif name in exact:
            parts[name] = f"sum(hash({identifier(name)})::hugeint)"
    values = connection.execute(f"select {', '.join(parts.values())} from {identifier(*place)}").fetchone()  # noqa: S608 -- names of the catalog, quoted
    return dict(zip(parts, values or (), strict=True))


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def main() -> None:
    """Generate, build with both engines, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory-limit", default="8GB", help="DuckDB's own, and Java's heap")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dir", type=Path, required=True, help="an empty folder for a data directory")
    plants = parser.add_subparsers(dest="plant", required=True)
    genealogy = plants.add_parser("genealogy")
    genealogy.add_argument("--units", type=int, default=20_000)
    genealogy.add_argument("--installations", type=int, default=100_000)
    genealogy.add_argument("--levels", type=int, default=12)
    quality = plants.add_parser("quality")
    quality.add_argument("--measurements", type=int, default=100_000)
    quality.add_argument("--run-steps", type=int, default=10_000)
    arguments = parser.parse_args()
    work: Path = arguments.dir.absolute()
    work.mkdir(parents=True, exist_ok=True)
    settings = load_settings(
        tenant=False,
        environment="embedded",
        data_dir=work,
        engine="spark",
        duckdb_memory_limit=arguments.memory_limit,
        duckdb_threads=arguments.threads,
    )
    path, select = settings.warehouse_path, GENEALOGY if arguments.plant == "genealogy" else None
    if arguments.plant == "genealogy":
        size = {"units": arguments.units, "installations": arguments.installations, "levels": arguments.levels}
        generate: Callable[..., None] = genealogy_scale.generate
    else:
        size = {"measurements": arguments.measurements, "run_steps": arguments.run_steps}
        generate = quality_scale.generate
    say(f"generating {size}")
    generate(path, **size)
    report: dict[str, Any] = {"plant": arguments.plant, **size, "memory_limit": arguments.memory_limit}
    say("committing the raw tables to a lake")
    commit(settings)
    say("building with DuckDB")
    report["duckdb"] = build(path, work, memory_limit=arguments.memory_limit, threads=arguments.threads, select=select)
    report["warehouse_gb"] = round(path.stat().st_size / 1e9, 2)
    say("building with Spark")
    report["spark"] = spark_build(settings, select, work / "spark.duckdb")
    say("comparing")
    report["compared"] = compare(path, work / "spark.duckdb")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
