"""`ion-pipeline report`: the quality report as an HTML page. Reads the published file and nothing else."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ion_pipeline.terminal.age import data_line
from ion_pipeline.terminal.frame import command_settings, emit, out, warn

if TYPE_CHECKING:
    from ion_pipeline.report import WrittenRecall


def report(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file to write; by default report.html or recall.html in the data directory."
        ),
    ] = None,
    serial: Annotated[
        list[str] | None,
        typer.Option(help="Also include the tree of this unit, expanded, named as in `abom show`; repeatable."),
    ] = None,
    recall: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOT",
            help="Write a recall page instead: the units that contain this lot or serial, or something split off it, "
            "with a CSV file next to it. PART:LOT if several parts have it; repeatable.",
        ),
    ] = None,
    units: Annotated[int, typer.Option(min=0, help="How many top-level units to include, newest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write one HTML page from the published file: yield, defects, control charts, issues, suppliers, as-built trees.

    It needs no network and no server: open it, print it, or send it to people who may see its data.
    """
    from ion_pipeline.report import write_recall, write_report

    settings = command_settings(context, tenant=False)
    if recall:
        if serial:
            raise typer.BadParameter("--recall writes a page of its own: --serial does not apply to it.")
        _show_recall(write_recall(settings, output or settings.data_dir / "recall.html", recall), as_json=as_json)
        return
    written = write_report(settings, output or settings.report_path, serials=serial or (), units=units)

    def human() -> None:
        out.print(f"Written {written.path} ({written.bytes / 1e6:.1f} MB, {written.trees} trees)", highlight=False)

    emit(asdict(written), as_json=as_json, human=human)


def _show_recall(written: "WrittenRecall", *, as_json: bool) -> None:
    def human() -> None:
        for sentence in written.warnings:
            warn(f"INCOMPLETE. {sentence}")
        for verdict in written.verdicts:
            out.print(verdict)
        out.print(data_line(written.read_at))
        out.print(f"Written {written.path} and {written.csv_path}")

    emit(asdict(written), as_json=as_json, human=human)
