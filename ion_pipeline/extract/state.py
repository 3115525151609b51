"""What is known of an entity before a refresh: the watermark, the number of rows, their ids. Pure data.

The caller provides it. Known ids are loaded only if the counts differ, and are kept up to date during the refresh.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ion_pipeline.catalog.plan import RowIdentity, RowVersion


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a row: when it last changed, and its etag.

    Attributes:
        updated: Its `_updated`.
        etag: Its etag.
        recent: Whether it is one of the rows of its entity that changed last.
    """

    updated: datetime
    etag: str | None
    recent: bool = True


class KnownRows(Protocol):
    """Looks up rows that the last refresh stored."""

    def ids(self, entities: Iterable[str]) -> "dict[str, array[int]]":
        """Ids of the rows of each entity, ascending."""

    def etags(self, entity: str) -> Mapping[int, str | None]:
        """Id to etag of an entity's rows."""

    def latest(self, entities: Iterable[str], rows: int) -> Mapping[str, Mapping[int, Held]]:
        """The rows of each entity that changed last."""

    def controlled(self, entity: str) -> frozenset[int]:
        """Ids of an entity's rows that have the export-control flag."""


class NoRows:
    """No row is known."""

    def ids(self, entities: Iterable[str]) -> "dict[str, array[int]]":
        """Always empty."""
        return {entity: array("q") for entity in entities}

    def etags(self, entity: str) -> Mapping[int, str | None]:  # noqa: ARG002
        """Always empty."""
        return {}

    def latest(self, entities: Iterable[str], rows: int) -> Mapping[str, Mapping[int, Held]]:  # noqa: ARG002
        """Always empty."""
        return {entity: {} for entity in entities}

    def controlled(self, entity: str) -> frozenset[int]:  # noqa: ARG002
        """Always empty."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class EntityState:
    """What the earlier reads stored of one entity.

    Attributes:
        rows: Number of known rows.
        watermark: All changes before this instant are known; None if there is no such instant.
        query_hash: Hash of the page query of the last read.
        versions: Versions of the known rows that changed after the watermark, if they are few.
        sample: Some of the rows, to check whether ION was restored to an earlier state.
    """

    rows: int
    watermark: datetime | None
    query_hash: str
    versions: Mapping[RowIdentity, RowVersion] = field(default_factory=dict)
    sample: Mapping[int, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """What the earlier reads stored of a tenant; an entity that was never read is not in it."""

    entities: Mapping[str, EntityState] = field(default_factory=dict)
    known: KnownRows = field(default_factory=NoRows)


class Ids:
    """The ids that an entity should have: the known ids, without those deleted since, with those read since.

    Args:
        entity: Name of the entity.
        rows: Number of known rows.
        known: Looks up the known ids; called once, when they are first needed, if `load_ids` has not done so before.
    """

    def __init__(self, entity: str, rows: int, known: KnownRows) -> None:
        self.entity = entity
        self._rows = rows
        self._known = known
        self._ids: array[int] | None = None

    def __len__(self) -> int:
        return self._rows if self._ids is None else len(self._ids)

    @property
    def all(self) -> "array[int]":
        """The ids, ascending."""
        if self._ids is None:
            self._ids = self._known.ids([self.entity])[self.entity]
        return self._ids

    @property
    def are_loaded(self) -> bool:
        """Whether the ids themselves are here, and not only their number."""
        return self._ids is not None

    def load(self, ids: "array[int]") -> None:
        """Take the known ids, ascending, from a look-up of several entities."""
        self._ids = ids

    def add(self, ids: Iterable[int]) -> None:
        """Add the ids of rows that were read."""
        new = sorted(identifier for identifier in set(ids) if identifier not in self)
        if new:
            self._ids = array("q", sorted([*self.all, *new])) if new[0] <= self._last else self.all + array("q", new)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove the ids of rows that were deleted."""
        gone = set(ids)
        self._ids = array("q", (identifier for identifier in self.all if identifier not in gone))

    def between(self, low: int | None, high: int | None) -> "array[int]":
        """The ids from `low` to `high`, both included; None means no bound."""
        start = 0 if low is None else bisect_left(self.all, low)
        stop = len(self.all) if high is None else bisect_right(self.all, high)
        return self.all[start:stop]

    def __contains__(self, identifier: int) -> bool:
        place = bisect_left(self.all, identifier)
        return place < len(self.all) and self.all[place] == identifier

    @property
    def _last(self) -> int:
        return self.all[-1] if self.all else -1


def load_ids(several: Iterable[Ids], known: KnownRows) -> None:
    """Look up the known ids of several entities together: a look-up of its own for each opens the warehouse each time.

    Args:
        several: The ids, of which those that are loaded stay as they are.
        known: Looks up the known ids.
    """
    missing = {ids.entity: ids for ids in several if not ids.are_loaded}
    for entity, found in known.ids(missing).items():
        missing[entity].load(found)
