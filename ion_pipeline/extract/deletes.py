"""Which rows are gone, found by counting.

Ranges of ids that hold fewer rows than known are divided until they are short enough to read their ids. With d deletes
among n rows this takes O(d log n) counts, many to a request, and never a re-read of the table. The same search finds
rows that appeared unseen, and, reading etags with the ids, rows that changed where nothing else tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery
from ion_pipeline.client import IonClient
from ion_pipeline.extract.aliased import Question, Reply, ask
from ion_pipeline.extract.state import Ids

_PIECES = 16
_LEAF = 200
# What a range may hold beyond what is known before the whole entity is read instead.
_LEAF_ROWS = 500


@dataclass
class Differences:
    """What the search found.

    Attributes:
        gone: Ids of rows that are no longer there.
        unknown: Ids of rows that were not known.
        etags: Id to etag of the rows looked at; only if asked for.
        overflow: More unknown rows than can be told one by one: the entity has to be read.
    """

    gone: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    etags: dict[int, str | None] = field(default_factory=dict)
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class _Range:
    """Ids from `low` to `high`, both included (None: no bound), and those among them that are known."""

    low: int | None
    high: int | None
    known: Sequence[int]

    @property
    def filters(self) -> dict[str, Any] | None:
        bounds = {"gte": self.low, "lte": self.high}
        given = {name: value for name, value in bounds.items() if value is not None}
        return {"id": given} if given else None

    def pieces(self, leaf: int) -> Iterator["_Range"]:
        size = max(leaf, -(-len(self.known) // _PIECES))
        starts = range(0, len(self.known), size)
        for start in starts:
            stop = start + size
            yield _Range(
                self.low if start == 0 else self.known[start],
                self.high if stop >= len(self.known) else self.known[stop] - 1,
                self.known[start:stop],
            )


async def differences(
    client: IonClient, plan: EntityPlan, query: EntityQuery, ids: Ids, *, etag: str | None = None
) -> Differences:
    """Search an entity.

    Args:
        client: The tenant.
        plan: The entity.
        query: What its connection takes.
        ids: The ids that should be there.
        etag: The field of the etags, to look at every row; without it, only where counts differ.

    Raises:
        IonApiError: A request failed for good.
    """
    found = Differences()
    fields = ("id", etag) if etag else ("id",)
    ranges = [_Range(None, None, ids.all)]
    while ranges and not found.overflow:
        # A leaf is to come in one answer, with room for rows that are not known: rows of two answers may have shifted.
        most = min(_LEAF_ROWS, client.page_limit.rows)
        leaf = max(1, min(_LEAF, most * _LEAF // _LEAF_ROWS))
        pieces = [piece for one in ranges for piece in (one.pieces(leaf) if len(one.known) > leaf else [one])]
        leaves = [piece for piece in pieces if len(piece.known) <= leaf]
        others = [piece for piece in pieces if len(piece.known) > leaf]
        replies = await ask(
            client,
            [
                *(Question(plan, query, piece.filters, fields, first=most) for piece in leaves),
                *(Question(plan, query, piece.filters) for piece in others if not etag),
            ],
            about=f"{plan.name}, looking for deleted rows",
        )
        cut: list[_Range] = []
        for piece, reply in zip(leaves, replies, strict=False):
            if reply is not None and 0 < len(reply.nodes) < min(reply.total, most) and len(piece.known) > 1:
                # Fewer came than were wanted and counted: because the tenant gives no more at once (what it gives is
                # learned as from pages, by `ask`), or because rows were hidden or deleted while they were counted.
                cut += piece.pieces(-(-len(piece.known) // 2))
            else:
                _compare(piece, reply, etag, found)
        counted = zip(others, replies[len(leaves) :], strict=False)
        differing = (piece for piece, reply in counted if reply is None or reply.total != len(piece.known))
        ranges = [*cut, *(others if etag else differing)]
    return found


def _compare(piece: _Range, reply: Reply | None, etag: str | None, found: Differences) -> None:
    if reply is None or reply.total > len(reply.nodes):
        found.overflow = True
        return
    there = {node["id"] for node in reply.nodes}
    known = set(piece.known)
    found.gone |= known - there
    found.unknown |= there - known
    if etag:
        found.etags.update((node["id"], node[etag]) for node in reply.nodes)
