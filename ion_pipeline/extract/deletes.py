"""Finds deleted rows by counting.

A range of ids that holds another number of rows than known is divided, until each range is short enough to read its
ids. With d deletes among n rows this takes O(d log n) counts, many of them in one request, and the table is not read
again. The same search finds unknown rows, and, if it reads etags with the ids, rows whose changes show in etags only.
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
# Rows that a leaf may hold at most; if it holds more, the whole entity is read instead.
_LEAF_ROWS = 500


@dataclass
class Differences:
    """The result of the search.

    Attributes:
        gone: Ids of known rows that ION does not have any more.
        unknown: Ids of rows that were not known.
        etags: Id to etag of the rows that were read; empty if no etags were asked for.
        overflow: There are too many unknown rows to read them by id: the entity has to be read in full.
    """

    gone: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    etags: dict[int, str | None] = field(default_factory=dict)
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class _Range:
    """The ids from `low` to `high`, both included (None: no bound), and the known ids among them."""

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
    """Search an entity for deleted and unknown rows.

    Args:
        client: The tenant.
        plan: The entity.
        query: The entity's queries.
        ids: The known ids.
        etag: The field with the etags, to read the etag of every row; None to read only the ranges whose counts differ.

    Raises:
        IonApiError: A request failed permanently.
    """
    found = Differences()
    fields = ("id", etag) if etag else ("id",)
    ranges = [_Range(None, None, ids.all)]
    while ranges and not found.overflow:
        # A leaf must fit into one answer, with room for unknown rows: between two answers rows may shift.
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
                # Fewer rows came than ION counts: either the tenant returns no more at once (`ask` learns that limit),
                # or rows were hidden or deleted between the count and the list.
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
