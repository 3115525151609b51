"""`ion-pipeline dashboard`: a dashboard for Apache Superset. Reads the published file and nothing else."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ion_pipeline.terminal.frame import command_settings, emit, out


def dashboard(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write; by default superset.zip in the data directory."),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(
            help="SQLAlchemy's address of the published tables as Superset reaches them, such as "
            "postgresql://superset@host/database; by default the published file."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write a dashboard for Apache Superset: yield, defects, control charts, open issues, suppliers, recall.

    Superset imports it under Dashboards, with its charts, datasets and database connection (docs/bi.md).
    """
    from ion_pipeline.dashboard import write_dashboard

    settings = command_settings(context, tenant=False)
    written = write_dashboard(settings, output or settings.data_dir / "superset.zip", uri=uri)

    def human() -> None:
        out.print(f"Written {written.path} ({written.charts} charts of {written.uri})", highlight=False)

    emit(asdict(written), as_json=as_json, human=human)
