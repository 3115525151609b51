"""What all commands share: the two consoles, the settings that they run with, and results as text or JSON."""

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

# In a pipe or a log nothing is cut or wrapped to the width of a terminal that is not there.
_UNLIMITED = 240
out = PlainConsole(soft_wrap=True, width=None if sys.stdout.isatty() else _UNLIMITED)
err = PlainConsole(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else _UNLIMITED)


def command_settings(context: typer.Context, *, tenant: bool = True, **overrides: Any) -> Settings:
    """The settings of a command, and its logging and the permissions of the files it makes as they say.

    Args:
        context: Holds the options that went before the command.
        tenant: The command asks ION, so a tenant has to be named.
        overrides: What the command's own options say.

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
    """Say on standard error what is going on."""
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
    """Give a result to standard output: as JSON, or as `human` prints it."""
    if as_json:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC
        sys.stdout.write(visible_json(orjson.dumps(document, default=str, option=options).decode()) + "\n")
    else:
        human()
