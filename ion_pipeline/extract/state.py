"""What is known of an entity before a refresh: the watermark, the rows, their ids. Given from outside, pure data.

The known ids are looked up only where something differs, and kept up to date while a refresh reads.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ion_pipeline.catalog.plan import RowVersion


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a row: when it last changed, and its etag then.

    Attributes:
        updated: Its `_updated`.
        etag: Its etag.
        recent: It is one of the rows of its entity that changed last.
    """

    updated: datetime
    etag: str | None
    recent: bool = True


class KnownRows(Protocol):
    """Looks up what the last refresh left."""

    def ids(self, entity: str) -> "array[int]":
        """Ids of an entity's rows, ascending."""

    def etags(self, entity: str) -> Mapping[int, str | None]:
        """Id to etag of an entity's rows."""

    def latest(self, entity: str, rows: int) -> Mapping[int, Held]:
        """The rows of an entity that changed last."""

    def controlled(self, entity: str) -> frozenset[int]:
        """Ids of an entity's rows that say of themselves that they are export controlled."""


class NoRows:
    """Nothing is known."""

    def ids(self, entity: str) -> "array[int]":  # noqa: ARG002
        """None."""
        return array("q")

    def etags(self, entity: str) -> Mapping[int, str | None]:  # noqa: ARG002
        """None."""
        return {}

    def latest(self, entity: str, rows: int) -> Mapping[int, Held]:  # noqa: ARG002
        """None."""
        return {}

    def controlled(self, entity: str) -> frozenset[int]:  # noqa: ARG002
        """None."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class EntityState:
    """Where the last reads left one entity.

    Attributes:
        rows: Rows known.
        watermark: Changes before this instant are known; None if that is not known.
        query_hash: Identifies what was asked for.
        versions: Marks of the rows changed since the watermark, if they are few: those are known already.
        sample: Some of the rows, to see whether ION still has what it once had.
    """

    rows: int
    watermark: datetime | None
    query_hash: str
    versions: Mapping[int, RowVersion] = field(default_factory=dict)
    sample: Mapping[int, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Where the last reads left a tenant; an entity that was never read is not in it."""

    entities: Mapping[str, EntityState] = field(default_factory=dict)
    known: KnownRows = field(default_factory=NoRows)


class Ids:
    """The ids of an entity that should be there: those known, less the deleted, and the ones read since.

    Args:
        rows: How many were known.
        look_up: Gives them, ascending; called once, when first needed.
    """

    def __init__(self, entity: str, rows: int, known: KnownRows) -> None:
        self._entity = entity
        self._rows = rows
        self._known = known
        self._ids: array[int] | None = None

    def __len__(self) -> int:
        return self._rows if self._ids is None else len(self._ids)

    @property
    def all(self) -> "array[int]":
        """The ids, ascending."""
        if self._ids is None:
            self._ids = self._known.ids(self._entity)
        return self._ids

    def add(self, ids: Iterable[int]) -> None:
        """Rows were read."""
        new = sorted(identifier for identifier in set(ids) if identifier not in self)
        if new:
            self._ids = array("q", sorted([*self.all, *new])) if new[0] <= self._last else self.all + array("q", new)

    def remove(self, ids: Iterable[int]) -> None:
        """Rows were deleted."""
        gone = set(ids)
        self._ids = array("q", (identifier for identifier in self.all if identifier not in gone))

    def between(self, low: int | None, high: int | None) -> "array[int]":
        """The ids from `low` to `high`, both included; None is no bound."""
        start = 0 if low is None else bisect_left(self.all, low)
        stop = len(self.all) if high is None else bisect_right(self.all, high)
        return self.all[start:stop]

    def __contains__(self, identifier: int) -> bool:
        place = bisect_left(self.all, identifier)
        return place < len(self.all) and self.all[place] == identifier

    @property
    def _last(self) -> int:
        return self.all[-1] if self.all else -1
