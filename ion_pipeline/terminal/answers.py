"""Rows of an answer as a table that leaves out no column and no character: long cells take several lines."""

from collections.abc import Sequence
from datetime import UTC, datetime
from numbers import Number
from typing import Any

from rich import box
from rich.console import OverflowMethod
from rich.table import Table

from ion_pipeline.terminal.text import plain

# Break a long word rather than shorten it.
_OVERFLOW: OverflowMethod = "fold"


def answer_view(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table with all columns, as wide as the terminal; numbers are on the right."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        values = [row[place] for row in rows if row[place] is not None]
        is_number = bool(values) and all(isinstance(each, Number) and not isinstance(each, bool) for each in values)
        grid.add_column(plain(name), justify="right" if is_number else "left", overflow=_OVERFLOW)
    for row in rows:
        grid.add_row(*(plain(_text(value)) for value in row))
    return grid


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
