"""Moves a finished world of the factory in time: all its instants and dates, by whole days."""

import re
from datetime import date, timedelta
from typing import Any

from ion_pipeline.sandbox.world import World

_DATED = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?")
_DATE = len("2026-01-05")


def move(world: World, by: timedelta) -> None:
    """Move all instants and dates of a world, also those inside its lists and in its truths, in place.

    What one calendar month had may fall into two afterwards: the truth about a month is left out.
    """
    if not by:
        return
    del world.truths["supplier_ppm"]
    moving = _Moving(by)
    for rows in world.tables.values():
        for row in rows:
            moving.inside(row)
    moving.inside(world.truths)


class _Moving:
    def __init__(self, by: timedelta) -> None:
        self._by = by
        self._days: dict[str, str] = {}

    # `value` is an object or a list of JSON.
    def inside(self, value: Any) -> None:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, str):
                if _DATED.fullmatch(item):
                    value[key] = self._day(item[:_DATE]) + item[_DATE:]
            elif isinstance(item, dict | list):
                self.inside(item)

    def _day(self, text: str) -> str:
        found = self._days.get(text)
        if found is None:
            found = self._days[text] = (date.fromisoformat(text) + self._by).isoformat()
        return found
