"""Logs on standard error: one line for each thing that was done or went wrong, as text for people or as JSON.

A command and a process of Dagster call `configure`. A program that calls the steps itself and does not configure
logging gets no line about what was done.
"""

import json
import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from ion_pipeline.plain import visible

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["console", "json"]

_FIRST = ("timestamp", "level", "event")


def configure(level: Level | None, form: Format) -> None:
    """Say what is logged, and how; again where it has been said before.

    Args:
        level: The least severe level that is logged. None: `info`, but on a terminal `warning`, unless the format is
            JSON: people there watch the progress.
        form: `console` or `json`.
    """
    steps: list[Any] = [structlog.processors.add_log_level]
    if level is None and form == "console":
        steps.append(_quiet_on_a_terminal)
    steps += [structlog.processors.TimeStamper(fmt="iso", utc=True), _made_plain]
    steps.append(_as_json if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[(level or "info").upper()]),
        # Asked for each time: a stream that was standard error at the start may be closed by now.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def is_json() -> bool:
    """Whether standard error is to hold JSON and nothing else."""
    return structlog.is_configured() and structlog.get_config()["processors"][-1] is _as_json


def logger() -> FilteringBoundLogger:
    """Where lines are written to."""
    found: FilteringBoundLogger = structlog.get_logger()
    return found


def log_done(event: str, *, level: Literal["info", "error"] = "info", **fields: object) -> None:
    """Write a line about something that was done; none where logging is not configured.

    Args:
        event: What was done, as a word that programs search for: `load_applied`.
        level: `error` where it was not done well.
        fields: Numbers and names. Seconds are rounded to milliseconds.
    """
    if structlog.is_configured():
        rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}
        getattr(logger(), level)(event, **rounded)


def _quiet_on_a_terminal(_: WrappedLogger, name: str, event: EventDict) -> EventDict:
    # Asked for each line: Dagster sends the standard error of a step to a file.
    if name in {"debug", "info"} and sys.stderr.isatty():
        raise structlog.DropEvent
    return event


def _made_plain(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    ordered = {name: event.pop(name) for name in _FIRST} | dict(event)
    # In ASCII: what a stream cannot encode, it would write as escapes that are no JSON.
    return json.dumps(ordered, default=str, separators=(",", ":"))
