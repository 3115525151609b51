"""Adds the commands that have a module of their own to the command line."""

import typer

from ion_pipeline.commands.abom import abom
from ion_pipeline.commands.ask import ask
from ion_pipeline.commands.attachments import attachments
from ion_pipeline.commands.dashboard import dashboard
from ion_pipeline.commands.mcp import mcp
from ion_pipeline.commands.report import report
from ion_pipeline.commands.sandbox import sandbox
from ion_pipeline.commands.watch import watch
from ion_pipeline.commands.webhooks import webhooks


def register(app: typer.Typer) -> None:
    """Add the commands and the groups of commands to the command line."""
    for command in (dashboard, mcp, report, watch):
        app.command()(command)
    for name, group in {
        "abom": abom,
        "ask": ask,
        "attachments": attachments,
        "sandbox": sandbox,
        "webhooks": webhooks,
    }.items():
        app.add_typer(group, name=name)
