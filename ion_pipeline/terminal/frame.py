"""What all commands share: the two consoles, the settings that they run with, and results as text or JSON."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import orjson
import structlog
import typer

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
    for sentence in unknown_settings():
        err.print(styled(("!", "yellow"), f" {sentence}"))
    settings = load_settings(tenant=tenant, **{**context.obj, **overrides})
    os.umask(settings.file_umask)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for each time: a stream that was standard error at the start may be closed by now.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    return settings


def emit(document: Any, *, as_json: bool, human: Callable[[], None]) -> None:
    """Give a result to standard output: as JSON, or as `human` prints it."""
    if as_json:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC
        sys.stdout.write(visible_json(orjson.dumps(document, default=str, option=options).decode()) + "\n")
    else:
        human()
