"""`ion-pipeline mcp`: the published tables for an assistant. Reads the published file and nothing else."""

from typing import Annotated

import typer

from ion_pipeline.errors import SettingsError
from ion_pipeline.terminal.frame import command_settings


def mcp(
    context: typer.Context,
    rows: Annotated[int, typer.Option(min=1, help="Rows of one answer.")] = 500,
    characters: Annotated[int, typer.Option(min=1000, help="JSON text of one answer.")] = 200_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time after which a query is interrupted.")] = 30.0,
) -> None:
    """Serve the published tables to an assistant over the Model Context Protocol, on standard input and output.

    The assistant starts this command itself. It can read what is published, with one select at a time, and nothing
    else: no other file, no network, no setting of ION, and it writes nothing.
    """
    try:
        from ion_pipeline.mcp.server import server
    except ImportError as error:
        raise SettingsError("The SDK of MCP is not installed.", remedy="pip install 'ion-pipeline[mcp]'") from error
    from ion_pipeline.mcp.reading import Limits
    from ion_pipeline.pipeline.resources import resources_of

    settings = command_settings(context, tenant=False)
    server(settings.published_dir, Limits(rows, characters, seconds), resources_of(settings)).run()
