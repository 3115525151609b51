"""Shared by all commands: the two consoles, the settings of a command, and results as text or JSON."""

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

# In a pipe or a log there is no terminal width, so nothing is cut or wrapped.
_UNLIMITED = 240
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
    for sentence in unknown_settings():
        err.print(styled(("!", "yellow"), f" {sentence}"))
    settings = load_settings(tenant=tenant, **{**context.obj, **overrides})
    os.umask(settings.file_umask)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Evaluated for each logger: a stream that was standard error at the start may have been closed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    return settings


def emit(document: Any, *, as_json: bool, human: Callable[[], None]) -> None:
    """Print a result to standard output: as JSON, or with `human`."""
    if as_json:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC
        sys.stdout.write(visible_json(orjson.dumps(document, default=str, option=options).decode()) + "\n")
    else:
        human()
