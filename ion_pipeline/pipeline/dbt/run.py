"""Running dbt as a child process: it keeps global state, and a crash or a memory peak in it must not end the refresh."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from ion_pipeline.ending import stop
from ion_pipeline.files import WriterLock
from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.dbt.project import environment, project_digest, project_of, work_dir
from ion_pipeline.pipeline.dbt.report import FAILED, BuildError, BuildReport, NodeResult
from ion_pipeline.settings import Settings

_PARSE_SECONDS = 300.0


def results_path(settings: Settings) -> Path:
    """What came of each node in the last build, for `BuildReport`."""
    return work_dir(settings) / "results.json"


def parse_stamp(settings: Settings) -> Path:
    """The file whose age is that of the models as they are."""
    return Path(environment(settings)["DBT_TARGET_PATH"]) / "manifest.sha256"


def is_prepared(settings: Settings) -> bool:
    """Whether the manifest is that of the project as it is; parsing takes longer than asking ION."""
    stamp = parse_stamp(settings)
    manifest = stamp.with_name("manifest.json")
    return manifest.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == _manifest_digest(settings)


def prepared_manifest(settings: Settings) -> Path:
    """The project's manifest, parsed anew only when a file of the project has changed.

    Raises:
        BuildError: The project does not parse; dbt's own words are in the message.
    """
    stamp = parse_stamp(settings)
    # Dagster's processes start side by side, and dbt does not write the file in one go.
    with WriterLock(stamp.parent.parent / "parse.lock", "parsing the models", wait_seconds=_PARSE_SECONDS):
        if not is_prepared(settings):
            digest = _manifest_digest(settings)
            run(settings, ["parse"])
            stamp.write_text(digest, encoding="utf-8")
    return stamp.with_name("manifest.json")


def run(settings: Settings, arguments: Sequence[str], *, on_line: Callable[[str], None] | None = None) -> BuildReport:
    """Run dbt and read what it did.

    The child ends with this process, however that ends, and with an exception or a signal that comes meanwhile.

    Raises:
        BuildError: dbt ended with an error.
    """
    results = results_path(settings)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)
    # Only a parse is for the manifest.
    writes_json = str(arguments[0] == "parse").lower()
    alive, ours = os.pipe()  # Nothing is written to it: it is at its end when this process is gone.
    command = ["-m", "ion_pipeline.pipeline.dbt.child", str(results), str(alive), "--no-use-colors", *arguments]
    lines: list[str] = []
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter, arguments from code
            [sys.executable, *command, "--project-dir", str(project_of(settings))],
            cwd=settings.warehouse_path.parent,
            # dbt's log of every query takes up to a tenth of a small build; set the variable to get it.
            env={"DBT_LOG_LEVEL_FILE": "info", **os.environ, **environment(settings), "DBT_WRITE_JSON": writes_json},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=(alive,),
        )
        with process:
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    if on_line:
                        on_line(line.rstrip())
            except BaseException:
                stop(process)
                raise
    finally:
        os.close(alive)
        os.close(ours)
    report = _read_results(results)
    if process.returncode:
        raise BuildError(
            failure_message(report, lines),
            remedy=f"The log is in {Path(environment(settings)['DBT_LOG_PATH'], 'dbt.log')}; nothing was published.",
            report=report,
        )
    return report


def _read_results(path: Path) -> BuildReport:
    if not path.is_file():
        return BuildReport((), 0.0)
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    nodes = tuple(
        NodeResult(result["unique_id"], result["status"], result["message"] or "", result["execution_time"])
        for result in document["results"]
    )
    return BuildReport(nodes, document["elapsed_time"])


def failure_message(report: BuildReport, lines: Sequence[str] = ()) -> str:
    """What failed, in one sentence: the first nodes by name, models before their tests; else dbt's last lines."""
    failed = [node for node in report.nodes if node.status in FAILED]
    if not failed:
        return "dbt ended with an error: " + " ".join(line for line in lines[-12:] if line)
    # A model that could not be built is why tests of it fail.
    failed.sort(key=lambda node: node.unique_id.startswith("test."))
    shown = "; ".join(f"{node.unique_id} ({' '.join(node.message.split())[:300]})" for node in failed[:5])
    return f"dbt: {len(failed)} of {len(report.nodes)} nodes failed: {shown}."


def _manifest_digest(settings: Settings) -> str:
    # The manifest holds the names of schemas, too.
    return f"{project_digest(project_of(settings))} {export_control.source_schemas(settings)}"
