"""Running dbt: where the project is, which environment it gets, and what came of it.

dbt runs as a child process: it keeps global state, and a crash or a memory peak in it must not take the refresh with
it. Nothing here knows a model by name.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson

from ion_pipeline.ending import stop
from ion_pipeline.lake import WriterLock
from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.adopting import data_catalog
from ion_pipeline.pipeline.build_report import FAILED, BuildError, BuildReport, NodeResult
from ion_pipeline.pipeline.log_lines import logs_build
from ion_pipeline.pipeline.pending import pending
from ion_pipeline.pipeline.rendered import keep, kept, rendered_digest
from ion_pipeline.pipeline.replay import replay
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.seeds import linked_project
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import Built, begin_build, built_load, changed_since_build, connect, note_build

_PARSE_SECONDS = 300.0

IndirectSelection = Literal["eager", "buildable", "cautious", "empty"]


def project_dir() -> Path:
    """The dbt project: beside the package in a checkout, inside it once installed."""
    package = Path(str(files("ion_pipeline")))
    checkout = package.parent / "dbt_project"
    return checkout if (checkout / "dbt_project.yml").is_file() else package / "_dbt_project"


def project_of(settings: Settings) -> Path:
    """The project that dbt reads: the shipped one, or one with the organisation's own seeds in it.

    Raises:
        SettingsError: What is in the folder of seeds cannot be used.
    """
    work = _work(settings)
    own = settings.seeds_dir
    project = project_dir() if own is None else linked_project(project_dir(), own.absolute(), work)
    # dbt remembers of each seed where it was, and would read it there again.
    remembered, target = work / "project.path", Path(environment(settings)["DBT_TARGET_PATH"])
    before = remembered.read_text(encoding="utf-8") if remembered.is_file() else str(project_dir())
    if before != str(project):
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        remembered.write_text(str(project), encoding="utf-8")
    return project


def environment(settings: Settings) -> dict[str, str]:
    """What `dbt_project/profiles.yml` reads, and dbt's own variables: all that dbt writes goes to the data dir."""
    work = _work(settings)
    return {
        "DBT_PROFILES_DIR": str(project_dir()),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
        # Unit tests are about the models, not about the data: they run when the models change, with the other tests.
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # From where dbt runs. dbt parses everything anew when what it connects to has another name.
        "ION_WAREHOUSE_PATH": settings.warehouse_path.name,
        "ION_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
        "ION_DUCKDB_THREADS": str(settings.duckdb_threads),
        **export_control.source_schemas(settings),
    }


def _work(settings: Settings) -> Path:
    """Where dbt writes."""
    return settings.data_dir.absolute() / "dbt"


def results_path(settings: Settings) -> Path:
    """What came of each node in the last build, for `BuildReport`."""
    return _work(settings) / "results.json"


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


@logs_build
def build(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    indirect_selection: IndirectSelection = "eager",
    on_line: Callable[[str], None] | None = None,
) -> BuildReport:
    """Build and test the models: `dbt build`.

    Args:
        settings: Which warehouse, and how much memory and threads dbt may use.
        select: dbt selectors; all models when empty.
        indirect_selection: Which tests of what is selected run with it, in dbt's words: those that touch it (`eager`),
            that can run once it is built (`buildable`), that read nothing else (`cautious`), or none (`empty`).
        on_line: Gets each line dbt prints, as it prints it.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. Names the nodes; published files are untouched.
    """
    begun, _ = _begin(settings)
    arguments = ["--indirect-selection", indirect_selection, "--select", *select] if select else []
    report = run(settings, ["build", *arguments], on_line=on_line)
    if not select:
        _note(settings, begun, rendered=True)
    return report


@logs_build
def build_pending(settings: Settings, *, on_line: Callable[[str], None] | None = None) -> BuildReport:
    """Build and test what is downstream of what changed since all models were built last; all if that is not known.

    dbt builds where it has not yet built these models here; afterwards the statements that it rendered are executed
    again. A build that failed is not counted: what it should have built is built again, with what has changed since.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. Names the nodes; published files are untouched.
    """
    begun, changed = _begin(settings)
    report = BuildReport((), 0.0)
    names: list[str] | None = None
    if changed:
        # Never empty: whatever has changed, the loader has noted a load, and there are models of its notes.
        names = pending(orjson.loads(prepared_manifest(settings).read_bytes()), changed)
    replayed = _replayed(settings, begun.models, names, on_line) if begun and changed != frozenset() else None
    if replayed:
        report = replayed
    elif changed is None:
        report = run(settings, ["build"], on_line=on_line)
    elif names:
        report = run(settings, ["build", "--indirect-selection", "empty", "--select", *names], on_line=on_line)
    _note(settings, begun, rendered=changed is None and not replayed)
    return report


def _replayed(
    settings: Settings, models: str, names: Sequence[str] | None, on_line: Callable[[str], None] | None
) -> BuildReport | None:
    """Build from what dbt rendered; None where it has not rendered these models.

    Raises:
        BuildError: A model or a test failed.
    """
    rendered = kept(_work(settings), rendered_digest(models))
    if rendered is None:
        return None
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        report = replay(connection, rendered, names, on_line=on_line)
    if any(node.status in FAILED for node in report.nodes):
        remedy = "`ion-pipeline build` builds all models with dbt, whose log says more; nothing was published."
        raise BuildError(_failure(report, ()), remedy=remedy, report=report)
    return report


def is_built(settings: Settings) -> bool:
    """Whether all models stand as the last load left them: nothing was loaded, set or changed since.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
    """
    if not settings.warehouse_path.is_file():
        return False
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return changed_since_build(connection, models_digest(settings)) == frozenset()


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
    command = ["-m", "ion_pipeline.pipeline.dbt_child", str(results), str(alive), "--no-use-colors", *arguments]
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
            _failure(report, lines),
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


def _failure(report: BuildReport, lines: Sequence[str]) -> str:
    failed = [node for node in report.nodes if node.status in FAILED]
    if not failed:
        return "dbt ended with an error: " + " ".join(line for line in lines[-12:] if line)
    # A model that could not be built is why tests of it fail.
    failed.sort(key=lambda node: node.unique_id.startswith("test."))
    shown = "; ".join(f"{node.unique_id} ({' '.join(node.message.split())[:300]})" for node in failed[:5])
    return f"dbt: {len(failed)} of {len(report.nodes)} nodes failed: {shown}."


def _begin(settings: Settings) -> tuple[Built | None, frozenset[str] | None]:
    """What a build will cover, and what has changed since the last one of all models.

    Waits for the warehouse, too: dbt does not, and says less about who is in the way.
    """
    models = models_digest(settings)
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun = begin_build(connection, models)
        export_control.prepare(connection, settings)
        return begun, _changed(connection, settings, models)


def _changed(connection: duckdb.DuckDBPyConnection, settings: Settings, models: str) -> frozenset[str] | None:
    noted = built_load(connection, models)
    if noted is None:
        return None
    changed = changed_since_build(connection, models)
    return changed and changed | export_control.changed_sources(connection, settings, noted)


def _note(settings: Settings, begun: Built | None, *, rendered: bool) -> None:
    """Note what was built and, where dbt built all of it, keep what it rendered."""
    if begun is None:
        return
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        note_build(connection, begun)
        if rendered:
            results = orjson.loads(results_path(settings).read_bytes())["results"]
            keep(_work(settings), rendered_digest(begun.models), results, connection)


def models_digest(settings: Settings) -> str:
    """Of all that decides what is built from the same rows: the project, seeds included, and what `raw` looks like."""
    tables = [
        (table.name, [(column.name, str(column.arrow_type)) for column in table.columns])
        for table in data_catalog(settings.data_dir).tables.values()
    ]
    control = (export_control.definition(settings), settings.publish_export_controlled)
    made_of = f"{_digest(project_of(settings))} {duckdb.__version__} {tables} {control}"
    return hashlib.sha256(made_of.encode()).hexdigest()


def _manifest_digest(settings: Settings) -> str:
    # The manifest holds the names of schemas, too.
    return f"{_digest(project_of(settings))} {export_control.source_schemas(settings)}"


def _digest(project: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(project):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(project: Path) -> list[Path]:
    """The project's files in order, through links too, without what dbt writes."""
    found = []
    for folder, folders, names in os.walk(project, followlinks=True):
        if Path(folder) == project:
            folders[:] = [name for name in folders if name not in {"target", "logs"}]
        found += [Path(folder, name) for name in names]
    return sorted(found)
