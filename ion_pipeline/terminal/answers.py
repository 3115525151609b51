"""Rows of an answer as a table that leaves out no column and no character."""

from collections.abc import Sequence
from datetime import UTC, datetime
from numbers import Number
from typing import Any

from ion_pipeline.terminal.fitting import FittingTable
from ion_pipeline.terminal.text import plain


def answer_view(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> FittingTable:
    """All columns; numbers are on the right."""
    grid = FittingTable(columns, right={name for place, name in enumerate(columns) if _is_numeric(rows, place)})
    for row in rows:
        grid.add_row(*(plain(_text(value)) for value in row))
    return grid


def _is_numeric(rows: Sequence[Sequence[Any]], place: int) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and all(isinstance(each, Number) and not isinstance(each, bool) for each in values)


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
