"""Shared by all commands: the two consoles, the settings of a command, and results as text or JSON."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import typer

from ion_pipeline import logs
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.plain import visible_json
from ion_pipeline.settings import Settings, load_settings, unknown_settings
from ion_pipeline.terminal.text import PlainConsole, styled

# In a pipe or a log there is no terminal width, so nothing is cut or wrapped.
_UNLIMITED = 4_000
out = PlainConsole(soft_wrap=True, width=None if sys.stdout.isatty() else _UNLIMITED)
err = PlainConsole(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else _UNLIMITED)


def command_settings(context: typer.Context, *, tenant: bool = True, **overrides: Any) -> Settings:
    """Load the settings of a command, and set its logging and umask accordingly.

    Args:
        context: Contains the options before the command.
        tenant: Whether the command contacts ION, so that the tenant's settings must be complete.
        overrides: Values from the command's own options.

    Raises:
        SettingsError: A setting is wrong or missing.
    """
    try:
        settings = load_settings(tenant=tenant, **{**context.obj, **overrides})
        os.umask(settings.file_umask)
        logs.configure(settings.log_level, settings.log_format)
    finally:
        # A mistyped name may be why the settings are wrong.
        for sentence in unknown_settings():
            warn(sentence)
    return settings


def inform(lines: Iterable[str]) -> None:
    """Print progress lines on standard error."""
    for line in lines:
        if logs.is_json():
            logs.logger().info("note", message=line)
        else:
            err.print(line, highlight=False)


def warn(sentence: str) -> None:
    """Say on standard error what a person should know."""
    if logs.is_json():
        logs.logger().warning("note", message=sentence)
    else:
        err.print(styled(("!", "yellow"), f" {sentence}"))


def report_failure(error: IonPipelineError) -> None:
    """Say on standard error why a command ends, and what to do."""
    if logs.is_json():
        logs.logger().error("failed", message=error.message, remedy=error.remedy, exit_code=error.exit_code)
        return
    err.print(styled(("error:", "red"), f" {error.message}"))
    if error.remedy:
        err.print(f"       {error.remedy}")


def emit(document: Any, *, as_json: bool, human: Callable[[], None]) -> None:
    """Print a result to standard output: as JSON, or with `human`."""
    if as_json:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC
        sys.stdout.write(visible_json(orjson.dumps(document, default=str, option=options).decode()) + "\n")
    else:
        human()
