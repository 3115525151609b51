"""Decides when to refresh: soon after events, together for those that arrive together, and at intervals without any.

It has no clock and no thread: the caller passes the time, carries out what is due, and says how it went.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ion_pipeline.catalog import Catalog
from ion_pipeline.webhooks.inbox import Inbox
from ion_pipeline.webhooks.resources import entities_named


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon refreshes follow changes.

    Attributes:
        every: Seconds from the start of one refresh of all entities to the start of the next.
        settle: Seconds without another event after which the events are handled.
        longest: Seconds after which they are handled in any case.
        retry: Seconds before a failed refresh is repeated; each further failure doubles them, up to `every`.
    """

    every: float
    settle: float = 1.0
    longest: float = 3.0
    retry: float = 5.0


@dataclass(frozen=True, slots=True)
class Due:
    """A refresh that is due.

    Attributes:
        entities: The entities to read, sorted; None for all.
        events: Number of events that it handles.
        received_at: When the first of them was received; None without events.
        position: The position in the inbox of the last of them.
    """

    entities: tuple[str, ...] | None
    events: int
    received_at: datetime | None
    position: int


class Watcher:
    """The state between two refreshes.

    Events that the inbox holds already are covered by the first refresh, which reads all entities.

    Args:
        inbox: The events.
        catalog: All entities.
        selected: Names of the entities that are read; events of others are ignored.
        pace: How soon refreshes follow changes.
        now: The time, in seconds of a clock that is never set.
    """

    def __init__(self, inbox: Inbox, catalog: Catalog, selected: Collection[str], pace: Pace, now: float) -> None:
        self._inbox, self._catalog, self._selected, self._pace = inbox, catalog, frozenset(selected), pace
        self._position = inbox.last_position()
        self._next = now
        self._not_before = now
        self._failures = 0
        # The last event that was seen waiting, and when the first and the last one were.
        self._seen, self._first_seen_at, self._last_seen_at = self._position, now, now

    def due(self, now: float) -> Due | None:
        """The refresh that is due; None if there is none."""
        if now < self._not_before:
            return None
        waiting = self._inbox.after(self._position)
        last = waiting[-1].position if waiting else self._position
        received_at = waiting[0].received_at if waiting else None
        if now >= self._next:
            return Due(None, len(waiting), received_at, last)
        if not waiting:
            return None
        if last > self._seen:
            self._first_seen_at = now if self._seen <= self._position else self._first_seen_at
            self._seen, self._last_seen_at = last, now
        if now - self._last_seen_at < self._pace.settle and now - self._first_seen_at < self._pace.longest:
            return None
        named = {name for stored in waiting for name in entities_named(stored.event.resource, self._catalog)}
        if not (read := named & self._selected):
            self._position = last
            return None
        return Due(tuple(sorted(read)), len(waiting), received_at, last)

    def succeeded(self, due: Due, began: float) -> None:
        """Note that a refresh, which began at this time, has succeeded."""
        self._position = due.position
        self._failures = 0
        if due.entities is None:
            self._next = began + self._pace.every

    def failed(self, now: float) -> float:
        """Note that the refresh that was due has failed; return the seconds until it is repeated."""
        wait = min(self._pace.retry * 2.0**self._failures, max(self._pace.every, self._pace.retry))
        self._failures += 1
        self._not_before = now + wait
        return wait
