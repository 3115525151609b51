"""Stores events in one SQLite file, so that an acknowledged event survives a power cut and is processed once."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ion_pipeline.webhooks.event import Event

# Longer than any sender repeats the delivery of an event.
_KEPT = timedelta(days=30)
_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in the inbox.

    Attributes:
        position: A number that grows with each event stored.
        event: The event.
        received_at: When it was first received, UTC.
    """

    position: int
    event: Event
    received_at: datetime


class Inbox:
    """The events of one data directory. Each call opens the file, so any number of processes may use it.

    Args:
        path: The file; created when the first event is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self, event: Event) -> bool:
        """Store an event; when this returns, the event is durable.

        Returns:
            Whether the event is new: a known id is not stored again.

        Raises:
            sqlite3.Error: The event cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        with self._open() as connection:
            stored = connection.execute(
                "insert into events (event_id, resource, subscription_id, received_at) values (?, ?, ?, ?) "
                "on conflict (event_id) do nothing",
                (event.event_id, event.resource, event.subscription_id, now.isoformat()),
            )
            if stored.rowcount:
                connection.execute("delete from events where received_at < ?", ((now - _KEPT).isoformat(),))
            return stored.rowcount > 0

    def after(self, position: int, *, limit: int = 10_000) -> list[StoredEvent]:
        """Events stored after a position, oldest first; none if the file does not exist."""
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                "select position, event_id, resource, subscription_id, received_at from events "
                "where position > ? order by position limit ?",
                (position, limit),
            ).fetchall()
        return [
            StoredEvent(position, Event(event_id, resource, subscription_id), datetime.fromisoformat(received_at))
            for position, event_id, resource, subscription_id, received_at in rows
        ]

    def last_position(self) -> int:
        """The position of the last event that was stored; 0 if there is none."""
        if not self.path.exists():
            return 0
        with self._open() as connection:
            [(position,)] = connection.execute("select coalesce(max(position), 0) from events").fetchall()
        return int(position)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS)
        try:
            with connection:
                connection.execute("pragma synchronous = full")
                # autoincrement: a position is never used twice, even after the last event was deleted.
                connection.execute(
                    "create table if not exists events (position integer primary key autoincrement, "
                    "event_id text not null unique, resource text not null, subscription_id text not null, "
                    "received_at text not null)"
                )
                yield connection
        finally:
            connection.close()
