"""The cost of a refresh, part by part, including the parts that do not depend on the data.

    python -m benchmarks refresh                              a small factory, read from a sandbox
    python -m benchmarks refresh --dir COPY --change run_steps=1000

Each `--change TABLE=ROWS` is one refresh in a separate process, by the command line's steps and then by Dagster's job,
after that number of rows of the table has changed; after 0 there is nothing new. Without `--dir` a sandbox is changed
and read. With `--dir` an existing data directory of any size is used: the changes are written to its `raw` and
`raw_history` as a load would write them, ION is not asked, and every later step is the normal one. Afterwards that
directory disagrees with its lake: use a copy.

Prints one JSON document. Seconds are wall clock, except for `models` and `tests`, several of which dbt runs at once.
"""
# ruff: noqa: S608 -- the caller names the tables, values are bound as parameters

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import httpx

from ion_pipeline.catalog import known_catalog
from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.dbt.report import BuildReport
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse.builds import changed_since_build

_CHANGES = ("suppliers=0", "suppliers=1", "run_steps=100")
_BEGAN, _READS_ION = "REFRESH_BENCHMARK_BEGAN", "REFRESH_BENCHMARK_READS_ION"
_BY_DAGSTER = "REFRESH_BENCHMARK_BY_DAGSTER"

# What people change, where only another time of change would change few of the models' rows.
_EDITED = {
    "run_steps": {"end_time": "end_time + interval 1 minute"},
    "run_step_fields": {"value": "coalesce(round(try_cast(value as double) + 0.001, 6)::varchar, value)"},
}

Change = Callable[[str, int], None]


def plant(warehouse: Path, table: str, rows: int) -> None:
    """Change the last rows of a table, which are those that people work on, and record it as a load does.

    Args:
        warehouse: The warehouse.
        table: The table of `raw`.
        rows: How many rows change.
    """
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'; begin")
        found = connection.execute("select max(load_id), max(valid_from) + interval 1 hour from raw._ion_loads")
        last, at = found.fetchone() or ("", None)
        values = {"load": f"{last}+", "at": at}
        connection.execute(
            "insert into raw._ion_loads by name select * replace ($load as load_id, $at as started_at, "
            "$at as committed_at, $at as loaded_at, $at as valid_from) "
            "from raw._ion_loads order by load_id desc limit 1",
            values,
        )
        edited = "".join(f", {value} as {column}" for column, value in _EDITED.get(table, {}).items())
        connection.execute(
            f"create temp table changed as select * replace ($at as _updated, $load as _ion_load{edited}) "
            f"from raw.{table} order by id desc limit $rows",
            {**values, "rows": rows},
        )
        connection.execute(f"delete from raw.{table} where id in (select id from changed)")
        connection.execute(f"insert into raw.{table} by name select * from changed")
        connection.execute(
            f"update raw_history.{table} set valid_to = $at, is_current = false "
            "where is_current and id in (select id from changed)",
            {"at": at},
        )
        connection.execute(
            f"insert into raw_history.{table} by name select *, $at as valid_from, true as is_current from changed",
            {"at": at},
        )
        connection.execute(
            "insert into raw._ion_load_tables (load_id, table_name, entity, strategy, rows_read, rows_inserted, "
            "rows_updated, rows_deleted, rows_after) select $load, $table, $table, 'incremental', count(*), 0, "
            f"count(*), 0, (select count(*) from raw.{table}) from changed",
            {"load": values["load"], "table": table},
        )
        connection.execute("commit")


def ask_for_changes(api_url: str, warehouse: Path, table: str, rows: int) -> None:
    """Let the sandbox's users change the last rows of an entity."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        sql = f"select id from raw.{table} order by id desc limit $rows"
        ids = [row[0] for row in connection.execute(sql, {"rows": rows}).fetchall()]
    root = known_catalog().entities[table].root_field
    changes = [{"op": "update", "entity": root, "id": one, "values": {}, "touch": True} for one in ids]
    httpx.post(f"{api_url}/_sandbox/changes", json=changes, timeout=60).raise_for_status()


def refresh() -> dict[str, Any]:
    """Run one refresh in this fresh process; return the cost of each part."""
    began = float(os.environ[_BEGAN])
    seconds = {"python and what the command line imports": time.time() - began}
    by_dagster = os.environ[_BY_DAGSTER] == "1"
    with _timed(seconds, "importing the steps"):
        from ion_pipeline.pipeline.pipeline import real_pipeline  # noqa: PLC0415 - is measured
        from ion_pipeline.pipeline.progress import NullReporter  # noqa: PLC0415
        from ion_pipeline.pipeline.refresh import refresh as run_steps  # noqa: PLC0415
    if by_dagster:
        with _timed(seconds, "importing Dagster and the assets"):
            from ion_pipeline.defs.run import run_refresh  # noqa: PLC0415

    reads_ion = os.environ[_READS_ION] == "1"
    settings = load_settings(tenant=reads_ion)
    dbt_wall: dict[str, float] = {}
    build, built = dbt.build_pending, list[BuildReport]()

    def timed_build(*arguments: Any, **options: Any) -> BuildReport:
        with _timed(dbt_wall, "build"):
            built.append(build(*arguments, **options))
        return built[-1]

    dbt.build_pending = timed_build
    pipeline = real_pipeline(settings, NullReporter())
    if not reads_ion:
        pipeline = _unasked(pipeline)
    began_run = time.perf_counter()
    result = run_refresh(settings, pipeline) if by_dagster else run_steps(settings, pipeline)
    took = time.perf_counter() - began_run
    report = built[0] if built else BuildReport((), 0.0)
    nodes = {
        kind: [node.seconds for node in report.nodes if node.unique_id.startswith(f"{kind}.")]
        for kind in ("model", "test")
    }
    in_dbt = dbt_wall.get("build", 0.0)
    seconds |= {
        "reading ION": result.seconds["extract"] if reads_ion else 0.0,
        "loading": result.seconds.get("load", 0.0),
        "finding what to build, and dbt if it is needed": in_dbt - report.seconds,
        "models and tests": report.seconds,
        "publishing": result.seconds.get("publish", 0.0),
        "what drives the steps": took - sum(result.seconds.values()) + result.seconds.get("build", 0.0) - in_dbt,
    }
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "total_seconds": round(time.time() - began, 2),
        "processor_seconds": round(sum(one.ru_utime + one.ru_stime for one in used), 2),
        "peak_memory_mb": {"refresh": used[0].ru_maxrss // 1024, "dbt": used[1].ru_maxrss // 1024},
        "models": {
            "built": result.models,
            "up_to_date": result.up_to_date,
            "ms_each": round(1000 * sum(nodes["model"]) / max(len(nodes["model"]), 1)),
        },
        "tests": {"run": len(nodes["test"]), "ms_each": round(1000 * sum(nodes["test"]) / max(len(nodes["test"]), 1))},
        "parsed_anew": "parse" in dbt_wall,
    }


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - began


def _unasked(pipeline: Any) -> Any:
    """Return the pipeline with ION replaced: it behaves as if ION had been read and had exactly the rows of `raw`."""
    from ion_pipeline.extract import EntityResult  # noqa: PLC0415 - its import must not count in other parts
    from ion_pipeline.pipeline.steps import ExtractReport  # noqa: PLC0415

    class Unasked(type(pipeline)):  # type: ignore[misc]
        def extract(self, entities: Sequence[str], **_: bool) -> ExtractReport:
            results = tuple(
                EntityResult(entity=name, status="unchanged", total_count=0, expected=0) for name in entities
            )
            return ExtractReport(None, "", results, requests=0, token_requests=0, bytes=0, seconds=0.0)

        def is_published_current(self) -> bool:
            return False

    return Unasked(pipeline.settings, pipeline.reporter)


def measure(settings: Settings, changes: Sequence[str], change: Change, *, reads_ion: bool) -> dict[str, Any]:
    """Bring everything up to date, then change rows and refresh, once for each change."""
    report: dict[str, Any] = {"cores": os.cpu_count(), "duckdb_threads": settings.duckdb_threads}
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        is_known = changed_since_build(connection, dbt.models_digest(settings)) is not None
    if not is_known:
        full = dbt.build(settings)
        report["full_build"] = {
            "seconds": round(full.seconds, 1),
            "models": full.count("model"),
            "tests": full.count("test"),
        }
        steps.publish(settings)
    for text, by_dagster in product(changes, (0, 1)):
        table, rows = text.split("=")
        change(table, int(rows))
        environment = {**os.environ, _BEGAN: str(time.time()), _READS_ION: str(int(reads_ion))}
        environment[_BY_DAGSTER] = str(by_dagster)
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.refresh_overhead", "--child"],
            env=environment | {f"ION_{name.upper()}": str(value) for name, value in settings_set(settings).items()},
            stdout=subprocess.PIPE,
            check=True,
        )
        report[f"{text}{' by Dagster' * by_dagster}"] = json.loads(child.stdout)
    return report


def settings_set(settings: Settings) -> dict[str, Any]:
    """Return the settings that are not defaults, for a child's environment."""
    document = settings.model_dump(exclude_unset=True)
    return {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in document.items()
        if value is not None
    }


def main() -> None:
    """Change, refresh, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks refresh", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--dir", type=Path, help="a copy of a data directory; by default a factory is read into a new one"
    )
    parser.add_argument("--change", action="append", metavar="TABLE=ROWS", help=f"by default {', '.join(_CHANGES)}")
    parser.add_argument("--scale", type=float, default=0.2, help="of the factory")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    changes = arguments.change or _CHANGES
    if arguments.child:
        print(json.dumps(refresh()))
    elif arguments.dir:
        settings = load_settings(tenant=False, data_dir=arguments.dir)
        report = measure(
            settings, changes, lambda table, rows: plant(settings.warehouse_path, table, rows), reads_ion=False
        )
        print(json.dumps(report, indent=2))
    else:
        from ion_pipeline.sandbox.process import running_sandbox  # noqa: PLC0415 - a refresh does not import it

        with tempfile.TemporaryDirectory() as folder, running_sandbox(scale=arguments.scale) as sandbox:
            settings = load_settings(
                environment="custom",
                api_url=sandbox.api_url,
                auth_url=sandbox.auth_url,
                client_id=sandbox.client_id,
                client_secret=sandbox.client_secret,
                data_dir=Path(folder),
            )
            steps.extract(settings)
            steps.load(settings)
            report = measure(
                settings,
                changes,
                lambda table, rows: ask_for_changes(sandbox.api_url, settings.warehouse_path, table, rows),
                reads_ion=True,
            )
            print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
