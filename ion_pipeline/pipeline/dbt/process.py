"""Runs dbt as a child process, because dbt has global state and its crash or memory peak must not end the refresh."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.ending import stop
from ion_pipeline.files import WriterLock
from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.dbt.child import NODE_LINE, STARTED
from ion_pipeline.pipeline.dbt.node_count import NodeCount
from ion_pipeline.pipeline.dbt.project import environment, project_digest, project_of, work_dir
from ion_pipeline.pipeline.dbt.report import FAILED, BuildError, BuildReport, NodeResult
from ion_pipeline.pipeline.dbt.start import Start
from ion_pipeline.settings import Settings

_PARSE_SECONDS = 300.0
# Run as a file: as a module it would first import its packages, a second's work, of which dbt needs nothing. With -P,
# the modules next to it do not hide others of the same name.
_CHILD = ("-P", str(Path(__file__).with_name("child.py")))


def results_path(settings: Settings) -> Path:
    """File with the result of each node of the last build."""
    return work_dir(settings) / "results.json"


def parse_stamp(settings: Settings) -> Path:
    """File that is written after each parse; its modification time is that of the last change of the models."""
    return Path(environment(settings)["DBT_TARGET_PATH"]) / "manifest.sha256"


def is_prepared(settings: Settings) -> bool:
    """Whether the manifest is up to date with the project."""
    stamp = parse_stamp(settings)
    manifest = stamp.with_name("manifest.json")
    return manifest.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == _manifest_digest(settings)


def prepared_manifest(
    settings: Settings, *, parsing: AbstractContextManager[None] | None = None, on_count: OnCount = unheard
) -> Path:
    """Path of the project's manifest; the project is parsed only if one of its files has changed.

    Args:
        settings: The data directory.
        parsing: Entered while the project is parsed, which takes half a minute.
        on_count: Called when that begins.

    Raises:
        BuildError: dbt cannot parse the project; the message holds dbt's output.
    """
    stamp = parse_stamp(settings)
    # Dagster starts several processes at the same time, and dbt does not write the file atomically.
    with WriterLock(stamp.parent.parent / "parse.lock", "parsing the models", wait_seconds=_PARSE_SECONDS):
        if not is_prepared(settings):
            digest = _manifest_digest(settings)
            with parsing or nullcontext():
                run(settings, ["parse"], on_count=on_count)
            stamp.write_text(digest, encoding="utf-8")
    return stamp.with_name("manifest.json")


def run(
    settings: Settings,
    arguments: Sequence[str],
    *,
    on_line: Callable[[str], None] | None = None,
    on_count: OnCount = unheard,
    child: Sequence[str] = _CHILD,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> BuildReport:
    """Run dbt and return its results.

    The child process ends when this process ends, whatever the reason, and on an exception or signal during the run.

    Args:
        settings: The data directory.
        arguments: dbt's arguments.
        on_line: Called with each line of output.
        on_count: Called when dbt starts, and when a node begins or ends; the share of the work is by the seconds of
            dbt's last run here.
        child: Arguments of the interpreter that start the child process.
        variables: Further environment variables of the child process.

    Raises:
        BuildError: dbt ended with an error.
    """
    results = results_path(settings)
    results.parent.mkdir(parents=True, exist_ok=True)
    nodes = NodeCount(on_count, {node.unique_id: node.seconds for node in read_results(results).nodes})
    results.unlink(missing_ok=True)
    start = Start(results.with_name("starts.json"), settings.engine, arguments[0])
    on_count(start.count)
    # Only `dbt parse` needs to write the manifest.
    writes_json = str(arguments[0] == "parse").lower()
    alive, ours = os.pipe()  # Nothing is written to the pipe: the child reads its end when this process ends.
    command = [*child, str(results), str(alive), "--no-use-colors", *arguments]
    lines: list[str] = []
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter, arguments from code
            [sys.executable, *command, "--project-dir", str(project_of(settings))],
            cwd=settings.warehouse_path.parent,
            # Logging every query takes as much as 10 % of a small build; set the variable to `debug` to enable it.
            env={
                "DBT_LOG_LEVEL_FILE": "info",
                **os.environ,
                **environment(settings),
                **variables,
                "DBT_WRITE_JSON": writes_json,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=(alive,),
        )
        with process:
            try:
                for line in process.stdout or ():
                    if line.startswith(NODE_LINE):
                        start.ended()
                        _hear(nodes, line)
                        continue
                    lines.append(line.rstrip())
                    if on_line:
                        on_line(line.rstrip())
            except BaseException:
                stop(process)
                raise
    finally:
        os.close(alive)
        os.close(ours)
    report = read_results(results)
    if process.returncode:
        raise BuildError(
            failure_message(report, lines),
            remedy=f"See the log in {Path(environment(settings)['DBT_LOG_PATH'], 'dbt.log')}. Nothing was published.",
            report=report,
        )
    start.ended()
    return report


def _hear(nodes: NodeCount, line: str) -> None:
    what, total, unique_id = line.removeprefix(NODE_LINE).split(maxsplit=2)
    if what == STARTED:
        nodes.started(unique_id.rstrip(), int(total))
    else:
        nodes.finished(unique_id.rstrip(), int(total))


def read_results(path: Path) -> BuildReport:
    """The results of dbt's last run, from `results_path`; without nodes if there is no such file."""
    if not path.is_file():
        return BuildReport((), 0.0)
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    nodes = tuple(
        NodeResult(result["unique_id"], result["status"], result["message"] or "", result["execution_time"])
        for result in document["results"]
    )
    return BuildReport(nodes, document["elapsed_time"])


def failure_message(report: BuildReport, lines: Sequence[str] = ()) -> str:
    """A sentence with the first failed nodes, models before tests, or with dbt's last lines if no node failed."""
    failed = [node for node in report.nodes if node.status in FAILED]
    if not failed:
        return "dbt ended with an error: " + " ".join(line for line in lines[-12:] if line)
    # If a model cannot be built, its tests fail too: the model is the cause.
    failed.sort(key=lambda node: node.unique_id.startswith("test."))
    shown = "; ".join(f"{node.unique_id} ({' '.join(node.message.split())[:300]})" for node in failed[:5])
    return f"dbt: {len(failed)} of {len(report.nodes)} nodes failed: {shown}."


def _manifest_digest(settings: Settings) -> str:
    # The manifest also holds the names of the source schemas.
    return f"{project_digest(project_of(settings))} {export_control.source_schemas(settings)}"
