"""From which size Spark on a cluster is faster than DuckDB on one machine: a model, fitted to runs of `spark`.

    python -m benchmarks cluster genealogy-1.json genealogy-2.json genealogy-3.json

It reads two or more documents of one plant at rising sizes, and prints one JSON document. What is measured: processor
seconds of DuckDB, of Spark's tasks and of everything else in Spark, and the bytes that are shuffled. What is assumed:

- DuckDB, Spark's tasks and the bytes have a fixed part and one that grows with the rows; with little memory it grows
  faster than this model says. All else of Spark (planning, generating and compiling code, collecting garbage, dbt) is
  the driver's work, and stays what it is at the largest size.
- DuckDB's fixed part, and a part of what grows, keep one core busy; the rest is shared by all cores of the machine.
- Spark's tasks are shared by the cores of the cluster; the driver has cores of its own.
- Shuffled bytes move between nodes in equal shares while nothing else happens.
- Every core is as fast as the measured ones, and files are read and written as fast as here.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

_SIZE = {"genealogy": "installations", "quality": "measurements"}


@dataclass(frozen=True, slots=True)
class Line:
    """A quantity that has a fixed part and one for each million rows."""

    fixed: float
    per_million: float

    def at(self, millions: float) -> float:
        """The quantity at a number of rows."""
        return self.fixed + self.per_million * millions

    def __add__(self, other: "Line") -> "Line":
        return Line(self.fixed + other.fixed, self.per_million + other.per_million)

    def __mul__(self, factor: float) -> "Line":
        return Line(self.fixed * factor, self.per_million * factor)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not measured at the sizes that the model is for.

    Attributes:
        alone: Share of what grows with the rows in DuckDB for which one core is busy. On two idle cores, five million
            installations took 297 s and 540 of CPU, so 54 on one core, of which 30 are fixed: 0.05. Ten million
            measurements took 170 s and 281 of CPU, so 59 on one core, of which some 35 are fixed: 0.1.
        driver_cores: Cores that Spark's driver keeps busy; more than two were not measured.
        efficiency: Share of the time in which the cores of a cluster are busy while there are tasks.
        cores_per_node: Cores of each node of a cluster.
        network_gb_per_second: What a node sends; 10 gigabit per second are 1.25.
        price_per_core_hour: Of any core, in any currency.
    """

    alone: float = 0.1
    driver_cores: float = 2.0
    efficiency: float = 0.7
    cores_per_node: float = 16.0
    network_gb_per_second: float = 1.25
    price_per_core_hour: float = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """Core seconds and GB of a build.

    Attributes:
        duckdb: Core seconds of DuckDB's build.
        driver: Core seconds of Spark outside of tasks; they do not grow.
        tasks: Core seconds of Spark's tasks.
        shuffled_gb: What Spark's stages hand to the next.
    """

    duckdb: Line
    driver: float
    tasks: Line
    shuffled_gb: Line


def duckdb_seconds(measured: Measured, cores: float, given: Assumptions) -> Line:
    """Duration of DuckDB's build on one machine."""
    return Line(measured.duckdb.fixed, measured.duckdb.per_million * (given.alone + (1 - given.alone) / cores))


def spark_seconds(measured: Measured, cores: float, given: Assumptions) -> Line:
    """Duration of Spark's build with this number of cores for tasks; the driver has its own."""
    nodes = max(1.0, cores / given.cores_per_node)
    return (
        Line(measured.driver / given.driver_cores, 0.0)
        + measured.tasks * (1 / (cores * given.efficiency))
        + measured.shuffled_gb * ((1 - 1 / nodes) / (nodes * given.network_gb_per_second))
    )


def price(seconds: float, cores: float, given: Assumptions) -> float:
    """What so many cores cost for so long."""
    return seconds / 3600 * cores * given.price_per_core_hour


def crossing(first: Line, second: Line) -> float | None:
    """Millions of rows from which the second is below the first; None if it never is."""
    if second.per_million >= first.per_million:
        return None
    return max(0.0, (second.fixed - first.fixed) / (first.per_million - second.per_million))


def fitted(documents: Sequence[dict[str, Any]]) -> Measured:
    """The lines of least squares through documents of the suite `spark`, and the driver's work at the largest size."""
    by_size = sorted(documents, key=_millions)

    def line(values: Sequence[float]) -> Line:
        found = statistics.linear_regression([_millions(one) for one in by_size], values)
        return Line(found.intercept, found.slope)

    tasks = [_task_seconds(one) for one in by_size]
    return Measured(
        duckdb=line([one["duckdb"]["processor_seconds"] for one in by_size]),
        driver=sum(by_size[-1]["spark"]["processor_seconds"].values()) - tasks[-1],
        tasks=line(tasks),
        shuffled_gb=line([one["spark"]["counters"]["shuffled_gb"] for one in by_size]),
    )


def _millions(document: dict[str, Any]) -> float:
    return float(document[_SIZE[document["plant"]]] / 1e6)


def _task_seconds(document: dict[str, Any]) -> float:
    counters = document["spark"]["counters"]
    return float(counters["tasks_processor_seconds"] + counters["tasks_unpacking_processor_seconds"])


def _rounded(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, dict) else value and round(value, 1) for name, value in found.items()
    }


def main() -> None:
    """Read, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, nargs="+", help="of one plant, at two or more sizes")
    parser.add_argument("--duckdb-cores", type=int, nargs="+", default=[2, 8, 32, 64], help="of one machine")
    parser.add_argument("--spark-cores", type=int, nargs="+", default=[16, 64, 256], help="for tasks")
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10, 100, 1000], help="rows to predict")
    for field in fields(Assumptions):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    arguments = parser.parse_args()
    given = Assumptions(**{field.name: getattr(arguments, field.name) for field in fields(Assumptions)})
    documents = [json.loads(path.read_bytes()) for path in arguments.documents]
    if len({one["plant"] for one in documents}) != 1 or len(documents) == 1:
        parser.error("two or more documents of one plant")
    measured = fitted(documents)
    machines = {
        f"duckdb, {cores} cores": (duckdb_seconds(measured, cores, given), cores) for cores in arguments.duckdb_cores
    }
    clusters = {
        f"spark, {cores} cores": (spark_seconds(measured, cores, given), cores + given.driver_cores)
        for cores in arguments.spark_cores
    }
    report = {
        "rows": _SIZE[documents[0]["plant"]],
        "assumptions": asdict(given),
        "measured": _rounded(asdict(measured)),
        "seconds": {
            name: {size: round(line.at(size), 1) for size in arguments.millions}
            for name, (line, _) in (machines | clusters).items()
        },
        "price": {
            name: {size: round(price(line.at(size), cores, given), 3) for size in arguments.millions}
            for name, (line, cores) in (machines | clusters).items()
        },
        "millions_of_rows_from_which_spark_is_faster": {
            name: _rounded({other: crossing(line, second) for other, (second, _) in clusters.items()})
            for name, (line, _) in machines.items()
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
