"""The command line: it only parses, calls and prints. `pipeline` does the work, `terminal` formats the output."""

import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ion_pipeline import __version__
from ion_pipeline.commands.registration import register
from ion_pipeline.ending import Terminated, ends_by_signal, unwind_on_sigterm
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.settings import Settings
from ion_pipeline.terminal.frame import command_settings, emit, err, inform, out, report_failure, warn

_INTERRUPTED = 130

app = typer.Typer(
    name="ion-pipeline",
    help="Copy a First Resonance ION tenant into an open warehouse, exactly and with little load on ION.\n\n"
    "Settings come from ION_* variables and .env (docs/settings.md). Without settings, a local sandbox ION is used.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Entities = Annotated[list[str] | None, typer.Option("--entity", "-e", help="Only this entity; repeatable.")]
Full = Annotated[bool, typer.Option("--full", help="Read all rows of all entities, not only the changes.")]
NoResume = Annotated[bool, typer.Option("--no-resume", help="Do not resume an interrupted read; start again.")]
Wait = Annotated[float | None, typer.Option("--wait", help="As ION_LOCK_WAIT_SECONDS.", show_default=False)]
AcceptDeletes = Annotated[bool, typer.Option("--accept-deletes", help="Treat missing rows as deleted, even if many.")]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="First add fields, enum values and entities that ION has and the catalog lacks."),
]


def _version(value: bool) -> None:
    if value:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    environment: Annotated[
        str | None, typer.Option("--environment", help="As ION_ENVIRONMENT.", show_default=False)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="As ION_DATA_DIR.", show_default=False)] = None,
    version: Annotated[  # noqa: ARG001 -- handled by its callback
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options before the command."""
    context.obj = {"environment": environment, "data_dir": data_dir}


@app.command()
def demo(
    context: typer.Context,
    scale: Annotated[float | None, typer.Option(help="Size of the factory; 1 is about 20,000 rows.")] = None,
    today: Annotated[str | None, typer.Option(help="Date of the world, as ION_SANDBOX_TODAY.")] = None,
) -> None:
    """Build a queryable warehouse from a sandbox: start a local ION, read it, build, publish and show the result."""
    from ion_pipeline.report import write_report
    from ion_pipeline.terminal.demo import show_demo

    settings = command_settings(context, environment="embedded", sandbox_scale=scale, sandbox_today=today)
    # Each demo is a world of its own, not a change of the previous one.
    _refresh(settings, full=True, accept_deletes=True, afresh=True)
    show_demo(settings, write_report(settings, settings.report_path).path, out)


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check that the tenant is reachable, what the API key may read, and how the schema differs from the catalog.

    Exit code 0 if every selected entity can be read, 1 if one is forbidden or its schema cannot be read.
    """
    from ion_pipeline.pipeline.check import check as run_check
    from ion_pipeline.terminal.views import check_view

    settings = command_settings(context)
    report = run_check(settings)

    def human() -> None:
        out.print(check_view(report))
        out.print(
            f"{report.user} of organisation {report.organization} at {report.api_host}: "
            f"{report.readable} of {len(report.entities)} entities can be read."
            + (f" The lake is in {settings.lake_uri}, which can be written." if settings.lake_uri else "")
        )

    emit(asdict(report), as_json=as_json, human=human)
    if not report.is_complete:
        raise typer.Exit(1)


@app.command()
def refresh(
    context: typer.Context,
    full: Full = False,
    accept_deletes: AcceptDeletes = False,
    adopt: Adopt = False,
    no_resume: NoResume = False,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Read what is new in ION, load, build, test and publish; Dagster records it if DAGSTER_HOME is set."""
    settings = command_settings(context, lock_wait_seconds=wait)
    if adopt:
        _adopt(settings)
    result = _refresh(settings, full=full, accept_deletes=accept_deletes, afresh=no_resume)

    def human() -> None:
        if not result.published:
            out.print("Nothing new in ION; there was nothing to do.")
            return
        out.print(f"{result.models} models built, {result.up_to_date} were up to date.")
        out.print(f"Published {result.published}")

    emit(asdict(result), as_json=as_json, human=human)


@app.command()
def plan(context: typer.Context, entity: Entities = None, full: Full = False, as_json: Json = False) -> None:
    """Show what a refresh would read and why, without reading it."""
    from ion_pipeline.pipeline.extraction import plan as make_plan
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import plan_document, plan_line, plan_view

    result = make_plan(command_settings(context), entities=entity or (), full=full, reporter=reporter(err))

    emit(plan_document(result), as_json=as_json, human=lambda: out.print(plan_view(result), plan_line(result)))


@app.command()
def extract(
    context: typer.Context,
    entity: Entities = None,
    full: Full = False,
    accept_deletes: AcceptDeletes = False,
    adopt: Adopt = False,
    no_resume: NoResume = False,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Read what is new in ION into a new load of the lake, without loading, building or publishing it."""
    from ion_pipeline.pipeline.steps import ReadMode
    from ion_pipeline.pipeline.steps import extract as run_extract
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import rows_view

    settings = command_settings(context, lock_wait_seconds=wait)
    mode = ReadMode(full=full, accept_deletes=accept_deletes, afresh=no_resume)
    if adopt:
        _adopt(settings)
    report = run_extract(settings, entities=entity or (), mode=mode, reporter=reporter(err))

    def human() -> None:
        if report.load_id is None:
            out.print(f"Nothing new in ION: {report.requests} requests, no load.")
            return
        out.print(rows_view(report.rows_by_entity))
        out.print(f"Load {report.load_id}: {report.rows:,} rows in {report.requests:,} requests.")
        for name, rows in report.unsettled.items():
            warn(f"{name}: {rows:,} rows changed again while it was read.")

    emit(asdict(report), as_json=as_json, human=human)


@app.command()
def reconcile(
    context: typer.Context,
    entity: Entities = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only compare; repair nothing.")] = False,
    accept_deletes: AcceptDeletes = False,
    as_json: Json = False,
) -> None:
    """Read what is new, compare every row with ION, and repair rows in raw whose changes ION did not report.

    The exit code is 0 also if rows had drifted: they now match ION. Run `refresh` to build and publish.
    """
    from ion_pipeline.terminal.reconcile import show_reconcile

    settings = command_settings(context)
    show_reconcile(settings, entities=entity or (), accept_deletes=accept_deletes, dry_run=dry_run, as_json=as_json)


@app.command()
def load(context: typer.Context, wait: Wait = None, as_json: Json = False) -> None:
    """Apply the loads that the warehouse does not have yet, each load in one transaction."""
    from ion_pipeline.pipeline.steps import load as run_load
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import load_line

    settings = command_settings(context, tenant=False, lock_wait_seconds=wait)
    report = run_load(settings, reporter=reporter(err))
    emit(asdict(report), as_json=as_json, human=lambda: out.print(load_line(report)))


@app.command()
def rebuild(context: typer.Context, wait: Wait = None, as_json: Json = False) -> None:
    """Rebuild raw and raw_history from the lake, in one transaction. Run `build` afterwards to build the models."""
    from ion_pipeline.pipeline.maintenance import rebuild as run_rebuild
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import rebuild_line

    settings = command_settings(context, tenant=False, lock_wait_seconds=wait)
    report = run_rebuild(settings, reporter=reporter(err))
    emit(asdict(report), as_json=as_json, human=lambda: out.print(rebuild_line(report)))


@app.command()
def compact(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=0, help="Number of latest loads to leave unchanged.")] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be compacted and saved.")] = False,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Merge old loads of the lake into one snapshot that contains each version of a row once. Loses no history."""
    from ion_pipeline.pipeline.maintenance import compact as run_compact
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import compact_line

    settings = command_settings(context, tenant=False, lock_wait_seconds=wait)
    report = run_compact(settings, keep=keep, dry_run=dry_run, reporter=reporter(err))
    document = {**asdict(report), "bytes_saved": report.bytes_saved}
    emit(document, as_json=as_json, human=lambda: out.print(compact_line(report)))


@app.command()
def build(
    context: typer.Context,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", "-s", help="dbt selector, including tests that need nothing else; all if not given."),
    ] = None,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Build and test the models with dbt."""
    from ion_pipeline.pipeline import dbt
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import build_line

    settings = command_settings(context, tenant=False, lock_wait_seconds=wait)
    reporting = reporter(err)
    with reporting.phase("Building the models"):
        report = dbt.build(settings, select=select or (), indirect_selection="buildable", on_count=reporting.counted)
    for line in dbt.warning_lines(report):
        reporting.note(line)
    emit(asdict(report), as_json=as_json, human=lambda: out.print(build_line(report)))


@app.command()
def publish(
    context: typer.Context,
    to: Annotated[str | None, typer.Option(help="Also send it here (ION_PUBLISH_TO): s3://… or postgresql://…")] = None,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Copy the public tables to a new DuckDB file, Parquet files or Delta tables, and replace the published ones."""
    from ion_pipeline.pipeline.steps import publish as run_publish
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import publish_lines

    settings = command_settings(context, tenant=False, lock_wait_seconds=wait)
    report = run_publish(settings, to=to, reporter=reporter(err))
    emit(asdict(report), as_json=as_json, human=lambda: out.print(*publish_lines(report), sep="\n", highlight=False))


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the tenant, loads and published file of the data directory, without contacting ION."""
    from ion_pipeline.pipeline.status import status as read_status
    from ion_pipeline.terminal.views import status_lines

    report = read_status(command_settings(context, tenant=False))
    emit(asdict(report), as_json=as_json, human=lambda: out.print(*status_lines(report), sep="\n"))


def _refresh(settings: Settings, *, full: bool = False, accept_deletes: bool = False, afresh: bool = False) -> Any:
    from ion_pipeline.pipeline import dbt
    from ion_pipeline.pipeline.check import check_ends
    from ion_pipeline.pipeline.pipeline import real_pipeline
    from ion_pipeline.pipeline.refresh import refresh as run_steps
    from ion_pipeline.pipeline.steps import ReadMode
    from ion_pipeline.terminal.progress import reporter
    from ion_pipeline.terminal.views import warnings_of_read

    if not dbt.is_prepared(settings):
        # Parsing the dbt project takes half a minute, so check the connections first; otherwise the refresh does it.
        check_ends(settings)
    pipeline = real_pipeline(settings, reporter(err), ReadMode(full=full, accept_deletes=accept_deletes, afresh=afresh))
    if os.environ.get("DAGSTER_HOME"):
        with err.status("Starting Dagster"):
            from ion_pipeline.defs.run import run_refresh
        result = run_refresh(settings, pipeline)
    else:
        result = run_steps(settings, pipeline)
    for warning in warnings_of_read(result.warnings):
        warn(warning)
    return result


def _adopt(settings: Settings) -> None:
    from ion_pipeline.pipeline.adopt import adopt
    from ion_pipeline.terminal.views import adopted_lines

    inform(adopted_lines(adopt(settings)))


register(app)


def main() -> None:
    """Run the command line. A known error gives a message and an exit code; any other one is a bug with a traceback."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    unwind_on_sigterm()
    os.umask(0o077)  # For files that are written before the settings are loaded.
    try:
        with ends_by_signal():
            app()
    except IonPipelineError as error:
        report_failure(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        inform(["interrupted"])
        sys.exit(_INTERRUPTED)
    except Terminated:
        inform(["terminated"])
        raise
    except BrokenPipeError:
        with suppress(BrokenPipeError):
            sys.stdout.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
