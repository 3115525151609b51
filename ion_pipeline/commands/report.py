"""`ion-pipeline report`: the quality report as an HTML page. Reads the published file and nothing else."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ion_pipeline.terminal.frame import command_settings, emit, out


def report(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write; by default report.html in the data directory."),
    ] = None,
    serial: Annotated[
        list[str] | None,
        typer.Option(help="Also include the tree of this unit, expanded, named as in `abom show`; repeatable."),
    ] = None,
    units: Annotated[int, typer.Option(min=0, help="How many top-level units to include, newest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write one HTML page from the published file: yield, defects, control charts, issues, suppliers, as-built trees.

    It needs no network and no server: open it, print it, or send it to people who may see its data.
    """
    from ion_pipeline.report import write_report

    settings = command_settings(context, tenant=False)
    written = write_report(settings, output or settings.data_dir / "report.html", serials=serial or (), units=units)

    def human() -> None:
        out.print(f"Written {written.path} ({written.bytes / 1e6:.1f} MB, {written.trees} trees)", highlight=False)

    emit(asdict(written), as_json=as_json, human=human)
