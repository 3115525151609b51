"""Shared by the benchmarks of the models: one load's history, `dbt build` as a refresh runs it, and its cost."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.pipeline import entity_tables, further_actions
from ion_pipeline.settings import load_settings
from ion_pipeline.warehouse import find_controlled

PROJECT = Path(__file__).parents[1] / "dbt_project"


def remember(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the history as a load that contains all rows does, and create what a build prepares before dbt runs."""
    instant = "timestamptz '2026-06-01 00:00:00+00'"
    connection.execute(
        f"insert into raw._ion_loads by name select 'LOAD' as load_id, {instant} as started_at, "
        f"{instant} as valid_from, {instant} as loaded_at"
    )
    for table in known_catalog().tables:
        connection.execute(
            f"insert into raw_history.{table} by name "  # noqa: S608 -- names of the catalog
            f"select *, {instant} as valid_from, true as is_current from raw.{table}"
        )
    find_controlled(connection, references(known_schema(), known_catalog()), known_catalog().tables.values(), "")
    settings = load_settings(tenant=False)
    entity_tables.prepare(connection, settings)
    further_actions.prepare(connection, settings)


def build(path: Path, work: Path, *, memory_limit: str, threads: int, select: str | None = None) -> dict[str, Any]:
    """Run `dbt build`; return seconds of wall clock, of CPU and per node, and the peak memory of the dbt process in GB.

    Args:
        path: The warehouse.
        work: Folder for dbt's compiled files and logs.
        memory_limit: Memory that DuckDB may use; its process needs up to a fifth more.
        threads: Number of DuckDB's threads.
        select: The models to build, with the tests that need no others; None for all.
    """
    chosen = ["--select", select, "--indirect-selection", "buildable"] if select else []
    environment = {
        **os.environ,
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(work.resolve() / "target"),
        "DBT_LOG_PATH": str(work.resolve() / "logs"),
        "ION_WAREHOUSE_PATH": str(path.resolve()),
        "ION_DUCKDB_MEMORY_LIMIT": memory_limit,
        "ION_DUCKDB_THREADS": str(threads),
        "ION_DBT_THREADS": "1",
    }
    began = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "build",
            "--exclude",
            "resource_type:unit_test",
            "--project-dir",
            str(PROJECT),
            *chosen,
        ],
        env=environment,
        check=True,
        stdout=sys.stderr,  # progress; standard output is for the report only
    )
    seconds = time.perf_counter() - began
    results = json.loads((work / "target" / "run_results.json").read_bytes())["results"]
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    slowest = sorted(results, key=lambda node: -node["execution_time"])[:16]
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(spent.ru_utime + spent.ru_stime, 1),
        "models": sum(r["unique_id"].startswith("model.") for r in results),
        "models_seconds": round(sum(r["execution_time"] for r in results if r["unique_id"].startswith("model.")), 1),
        "peak_memory_gb": round(spent.ru_maxrss / 1e6, 2),
        "nodes": {node["unique_id"].split(".")[2][:50]: round(node["execution_time"], 1) for node in slowest},
    }
