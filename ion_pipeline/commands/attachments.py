"""`ion-pipeline attachments`: files that ION keeps, downloaded when they are asked for."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ion_pipeline.terminal.frame import command_settings, emit, err, out

if TYPE_CHECKING:
    from ion_pipeline.pipeline.attachments import FetchReport, Folder
    from ion_pipeline.publish.attachments import Attachment

attachments = typer.Typer(
    help="Files that ION keeps at units, runs, steps, issues and other rows. The published file says which ones there "
    "are; ION gives their content.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@attachments.command(
    epilog="\b\nExamples:\n"
    "  ion-pipeline attachments fetch --for ENG-1000-00016 --components --to evidence\n"
    "  ion-pipeline attachments fetch --issue 14 --run 7 --dry-run\n"
    "  ion-pipeline attachments fetch --all --json | jq '.files[] | select(.status == \"failed\")'"
)
def fetch(
    context: typer.Context,
    units: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="UNIT",
            help="Files of a unit or lot, of its runs, steps, issues and receipts; named as in `abom show`; "
            "repeatable.",
        ),
    ] = None,
    components: Annotated[
        bool, typer.Option("--components", help="With --for: also those of everything installed in it.")
    ] = False,
    issues: Annotated[
        list[int] | None, typer.Option("--issue", metavar="ID", help="Files of an issue; repeatable.")
    ] = None,
    runs: Annotated[
        list[int] | None, typer.Option("--run", metavar="ID", help="Files of a run and its steps; repeatable.")
    ] = None,
    ids: Annotated[
        list[int] | None,
        typer.Option("--id", metavar="ID", help="The file with this file_attachment_id; repeatable."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every file that the published file names.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder; by default attachments in the data directory.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the files, without contacting ION.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Download files from ION: an interrupted download resumes, and what is there already is not downloaded again.

    Each file is asked for by its own new link, checked by size and checksum where the file host gives them, and named
    ID-NAME. Exit code 1 if a file could not be downloaded; the others are there.
    """
    from ion_pipeline.pipeline.attachments import Folder
    from ion_pipeline.pipeline.attachments import fetch as run_fetch
    from ion_pipeline.pipeline.resources import resources_of
    from ion_pipeline.publish.attachments import Choice, open_attachments
    from ion_pipeline.terminal.downloads import download_progress, planned_view, summary_line

    if (every and (units or issues or runs or ids)) or not (every or units or issues or runs or ids):
        raise typer.BadParameter("Name what the files belong to (--for, --issue, --run, --id), or use --all alone.")
    if components and not units:
        raise typer.BadParameter("--components needs --for.")
    settings = command_settings(context, tenant=not dry_run)
    choice = Choice(units or (), components, runs or (), issues or (), ids or (), every)
    with open_attachments(settings.published_dir, resources_of(settings)) as published:
        files = published.chosen(choice)
    folder = Folder(to or settings.data_dir / "attachments")
    if dry_run:
        view = planned_view(files, folder)
        emit(_planned(files, folder), as_json=as_json, human=lambda: out.print(view, _count(files)))
        return
    with download_progress(err) as progress:
        report = run_fetch(settings, files, folder.path, progress)
    emit(_document(report), as_json=as_json, human=lambda: out.print(summary_line(report)))
    if report.count("failed"):
        raise typer.Exit(1)


def _document(report: "FetchReport") -> dict[str, Any]:
    counts = {status: report.count(status) for status in ("fetched", "kept", "failed")}
    return {
        "folder": report.folder,
        **counts,
        "received": report.received,
        "files": [asdict(one) for one in report.files],
    }


def _planned(files: "list[Attachment]", folder: "Folder") -> dict[str, Any]:
    from ion_pipeline.terminal.downloads import state

    listed = [{**asdict(file), "here": state(file, folder)} for file in files]
    return {"folder": folder.path, "files": listed}


def _count(files: "list[Attachment]") -> str:
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}."
