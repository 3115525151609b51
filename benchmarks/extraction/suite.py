"""The suite: runs each contender on the same tenant, counts its rows, and prints the figures as a table of ratios.

    python -m benchmarks extraction --scale 0.1
    python -m benchmarks extraction --scale 10 --only floor,ours

The tenant of scale 1 has 420,000 rows in 840 pages of 500, and the server waits 50 ms before each answer.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.extraction.environments import PINS, NotInstallableError, python_of
from benchmarks.extraction.measure import ROOT, ContenderError, Measured, measure, replay_server

ENTITIES = {
    "run_steps": 300_000,
    "part_inventories": 60_000,
    "abom_installations": 30_000,
    "parts": 20_000,
    "runs": 10_000,
}


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes:
        name: Name for selection and display.
        kind: Which script runs, and where its rows are written.
        options: Options of its job file.
        what: Short description.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    what: str


_ONE = {"ranges": False, "settings": {}}
CONTENDERS = (
    Contender("floor, one stream", "floor", _ONE, "bodies thrown away"),
    Contender("floor, ranges", "floor", {"ranges": True}, "bodies thrown away"),
    Contender("ours, one stream", "ours", {**_ONE, "settings": {"parallel_ranges": False}}, "into the lake, verified"),
    Contender("ours, ranges", "ours", {"ranges": True, "settings": {}}, "into the lake, verified"),
    Contender("plain", "plain", _ONE, "httpx, orjson, from_pylist"),
    Contender("dlt", "dlt", _ONE, ", ".join(PINS["dlt"])),
    Contender("dlt through Parquet", "dlt-parquet", {**_ONE, "loader_file_format": "parquet"}, "the same"),
    Contender("singer", "singer", _ONE, ", ".join(PINS["singer"][:2])),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A contender's figures, or why there are none, and what is wrong with its rows."""

    contender: Contender
    measured: Measured | None
    remark: str


def main(arguments: list[str]) -> None:
    """Run the suite and print the table."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        contenders = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    entities = {name: max(1, round(rows * options.scale)) for name, rows in ENTITIES.items()}
    tenant = {"entities": entities, "fields": options.fields, "latency": options.latency}
    work = options.dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    outcomes = []
    with replay_server(tenant) as server:
        for contender in contenders:
            outcomes.append(_run(contender, server, work, options))
            print(_line(outcomes[-1]), file=sys.stderr, flush=True)
    print(report(outcomes, entities, options))


def chosen(wanted: Sequence[str]) -> list[Contender]:
    """Return the contenders selected by name or by kind (several at once); all of them if none is selected.

    Raises:
        ValueError: No contender has that name or kind.
    """
    names, kinds = {one.name for one in CONTENDERS}, {one.kind for one in CONTENDERS}
    found: set[str] = set()
    for text in wanted:
        # Names contain commas.
        for one in [text] if text in names else text.split(","):
            if one not in names | kinds:
                raise ValueError(f"there is no contender {one}: {'; '.join(sorted(names))}; or of kind {sorted(kinds)}")
            found.add(one)
    return [one for one in CONTENDERS if not found or found & {one.name, one.kind}]


def _run(contender: Contender, server: Mapping[str, Any], work: Path, options: argparse.Namespace) -> Outcome:
    folder = work / contender.name.replace(", ", "-").replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    job = {
        **server,
        "dir": str(folder),
        "page_size": options.page_size,
        "in_flight": options.in_flight,
        **contender.options,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    try:
        command = [*_command(contender.kind, work), folder / "job.json"]
        measured = measure(command, server["url"], folder / "log.txt")
        return Outcome(contender, measured, wrong_rows(contender.kind, folder, server["entities"], measured))
    except NotInstallableError as error:
        return Outcome(contender, None, f"cannot be installed: {error}")
    except ContenderError as error:
        return Outcome(contender, None, f"failed: {error}")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _command(kind: str, work: Path) -> list[str | Path]:
    scripts = Path(__file__).parent / "contenders"
    match kind:
        case "dlt" | "dlt-parquet":
            return [python_of(kind, work / "environments"), scripts / "dlt_documented.py"]
        case "singer":
            return [python_of("singer", work / "environments"), scripts / "singer.py"]
        case _:
            return [sys.executable, "-m", f"benchmarks.extraction.contenders.{kind}"]


def wrong_rows(kind: str, folder: Path, entities: Mapping[str, Any], measured: Measured) -> str:
    """Return what is wrong with the rows that a contender has written (the floor: has received); empty if nothing."""
    if kind == "floor":
        counts = {name: [measured.served.get(entity["root"], 0)] * 2 for name, entity in entities.items()}
    else:
        command = [sys.executable, "-m", "benchmarks.extraction.counts", kind, folder, *entities]
        counts = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    wrong = []
    for name, entity in entities.items():
        for what, expected in ((name, entity["rows"]), (f"{name}.attributes", entity["attributes"])):
            if what in counts and set(counts[what]) != {expected}:
                wrong.append(f"{what} {'/'.join(map(str, counts[what]))} of {expected}")
    return f"rows missing or twice: {', '.join(wrong)}" if wrong else ""


def report(outcomes: Iterable[Outcome], entities: Mapping[str, int], options: argparse.Namespace) -> str:
    """Return the figures as Markdown, with ratios to the floor and to the faster dlt."""
    outcomes = list(outcomes)
    by_name = {outcome.contender.name: outcome.measured for outcome in outcomes if outcome.measured}
    floor, ranges = by_name.get("floor, one stream"), by_name.get("floor, ranges")
    dlt = min((one for name, one in by_name.items() if name.startswith("dlt")), key=_wall, default=None)
    lines = [
        f"{sum(entities.values()):,} rows of {len(entities)} entities, pages of {options.page_size}, "
        f"{options.latency * 1000:g} ms latency, {options.in_flight} requests in flight at most, "
        f"{options.fields or 'all'} fields a row. {machine()}",
        "",
        "| | wall s | CPU s | peak MB | requests | MB | wall ÷ floor | wall ÷ dlt | CPU ÷ dlt | rows |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for outcome in outcomes:
        name, m = outcome.contender.name, outcome.measured
        if m is None:
            lines.append(f"| {name} ({outcome.contender.what}) | | | | | | | | | {outcome.remark} |")
            continue
        own_floor = ranges if name.endswith("ranges") else floor
        lines.append(
            f"| {name} ({outcome.contender.what}) | {m.wall:.1f} | {m.cpu:.1f} | {m.peak_mb:.0f} | {m.requests} | "
            f"{m.megabytes:.0f} | {_ratio(m, own_floor, _wall)} | {_ratio(m, dlt, _wall)} | {_ratio(m, dlt, _cpu)} | "
            f"{outcome.remark or 'all, once'} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """Return the machine and the relevant versions in a sentence."""
    import duckdb  # noqa: PLC0415 - kept out of the parent's memory until the runs are over
    import httpx  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), load {load:.1f} at the end, "
        f"Python {platform.python_version()}, pyarrow {pa.__version__}, httpx {httpx.__version__}, "
        f"duckdb {duckdb.__version__}."
    )


def _wall(measured: Measured) -> float:
    return measured.wall


def _cpu(measured: Measured) -> float:
    return measured.cpu


def _ratio(measured: Measured, other: Measured | None, figure: Callable[[Measured], float]) -> str:
    return f"{figure(measured) / figure(other):.2f}" if other else ""


def _line(outcome: Outcome) -> str:
    m = outcome.measured
    figures = f"{m.wall:.1f} s wall, {m.cpu:.1f} s CPU, {m.peak_mb:.0f} MB, {m.requests} requests " if m else ""
    return f"{outcome.contender.name}: {figures}{outcome.remark}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks extraction", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 420,000 rows")
    parser.add_argument("--fields", type=int, default=16, help="scalar fields of a row, about; 0 for all of ION's")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--page-size", type=int, default=500)
    parser.add_argument("--in-flight", type=int, default=24, help="requests at once, where ranges are read in parallel")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CONTENDERS", help="just these, by name or as ours,floor"
    )
    parser.add_argument("--dir", type=Path, default=ROOT / ".cache" / "bench", help="for environments and results")
    parser.add_argument("--keep", action="store_true", help="leave what the contenders wrote")
    return parser
