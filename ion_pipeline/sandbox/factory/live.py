"""A factory that keeps working while its world is served: each tick is one piece of work, as changes of rows.

The factory works in days of its own calendar, the first one after the world's last. A tick takes place between the
previous tick and its own instant: all that is done in it is moved into that time, in order, and what is planned for a
later day is as many accelerated working days away. So nothing is ahead of the clock but plans, and causes come before
effects. Pure: the same seed, ticks and instants give the same changes.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson

from ion_pipeline.sandbox.check import row_key
from ion_pipeline.sandbox.factory.clock import iso, next_working_day
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.simulation import work_day
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.model import known_model

Change = dict[str, Any]
Key = tuple[Any, ...]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
#: When the working day begins and ends; what happens before or after is moved to these.
_MORNING, _EVENING = time(6, tzinfo=UTC), time(19, tzinfo=UTC)
_SYSTEM = ("_updated", "_etag")


@dataclass(frozen=True)
class Tick:
    """One piece of work.

    Attributes:
        changes: What to post to the sandbox's `Changes`, together.
        share: The share of a working day until the next tick.
        ends_day: Whether the day's work is done, so that all rows are as in the factory.
    """

    changes: list[Change]
    share: float
    ends_day: bool


class Plant:
    """A factory that works by ticks.

    Args:
        factory: The factory at the end of the world that is served.
        begin: The present instant.
        day_length: The time in which the factory works a day.
    """

    def __init__(self, factory: Factory, begin: datetime, day_length: timedelta) -> None:
        self.factory = factory
        self._length = day_length
        self._before = begin
        self._last_day = factory.day
        self._day = factory.day
        self._work: deque[list[Change]] = deque()
        self._share, self._done = 1.0, 1.0
        self._placed: dict[str, str] = {}
        self._planned: dict[str, str] = {}
        self._writes = factory.store.writes
        self._known = {root: dict(rows) for root, rows in self._rows()}

    def work_ahead(self) -> None:
        """Do the work of the next day, unless some of the present day is still to be shown: it takes a few seconds."""
        while not self._work:
            self._day = next_working_day(self._day)
            self._work.extend(changes for _ in work_day(self.factory, self._day) if (changes := self._changes()))
            self._share, self._done = 1 / max(len(self._work), 1), 0.0

    def tick(self, now: datetime) -> Tick:
        """Shows the next piece of work.

        Args:
            now: The present instant, later than that of the previous tick.
        """
        self.work_ahead()
        changes = [self._at(change, now) for change in self._work.popleft()]
        self._before = now
        self._done += self._share
        return Tick(changes, self._share, not self._work)

    def _rows(self) -> Iterator[tuple[str, Iterator[tuple[Key, bytes]]]]:
        model = known_model()
        for root, rows in self.factory.store.tables().items():
            node = model.of_root(root)
            yield root, ((row_key(node, row), orjson.dumps(row)) for row in rows)

    def _changes(self) -> list[Change]:
        """What is different since the last call, in the factory's own time."""
        added: list[Change] = []
        updated: list[Change] = []
        deleted: list[Change] = []
        if self._writes == self.factory.store.writes:
            return []
        self._writes = self.factory.store.writes
        for root, found in self._rows():
            known, rows = self._known[root], dict(found)
            for key, text in rows.items():
                before = known.get(key)
                if before is None:
                    added.append({"op": "add", "entity": root, "row": orjson.loads(text)})
                elif before != text:
                    values = _different(orjson.loads(before), orjson.loads(text))
                    updated.append({"op": "update", "entity": root, "id": list(key), "values": values})
            deleted += [{"op": "delete", "entity": root, "id": list(key)} for key in known.keys() - rows.keys()]
            self._known[root] = rows
        return [*added, *updated, *sorted(deleted, key=lambda change: (change["entity"], change["id"]))]

    def _at(self, change: Change, now: datetime) -> Change:
        """A change as of an instant, which is then when its row was last written."""
        for part in change.keys() & {"row", "values"}:
            row = self._timed(change[part], now)
            root = change["entity"]
            if updated := known_model().of_root(root).system("_updated"):
                row[updated] = iso(now)
            change = change | {part: row}
        return change

    def _timed(self, value: Any, now: datetime) -> Any:
        if isinstance(value, dict):
            return {name: self._timed(item, now) for name, item in value.items()}
        if isinstance(value, list):
            return [self._timed(item, now) for item in value]
        if isinstance(value, str) and _INSTANT.fullmatch(value) and date.fromisoformat(value[:10]) > self._last_day:
            # What happens at an instant that was once planned happens at its own time.
            placed = self._planned if date.fromisoformat(value[:10]) > self._day else self._placed
            if value not in placed:
                placed[value] = iso(self._place(datetime.fromisoformat(value), now))
            return placed[value]
        return value

    def _place(self, moment: datetime, now: datetime) -> datetime:
        """Where an instant of the factory's calendar is on the clock."""
        day = moment.date()
        begin, end = datetime.combine(day, _MORNING), datetime.combine(day, _EVENING)
        part = min(max((moment - begin) / (end - begin), 0.0), 1.0)
        if day <= self._day:
            return self._before + part * (now - self._before) if day == self._day else self._before
        ahead, to = 0, self._day
        while to < day:
            to = next_working_day(to)
            ahead += 1
        return now + (ahead - self._done + part) * self._length


def _different(before: Row, after: Row) -> Row:
    """The columns that changed; the system's own are written with the change."""
    return {
        name: value
        for name, value in after.items()
        if name not in _SYSTEM and (name not in before or before[name] != value)
    }
