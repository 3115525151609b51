"""Checks after the last page that the rows that came are all of ION's rows: by their number and their keys."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError
from ion_pipeline.extract.paging import Pager

Count = Callable[[Mapping[str, Any]], Awaitable[int]]


class KeyLog:
    """The keys of an entity whose pages may overlap, kept as Arrow columns: a few bytes per row.

    Args:
        key: Key columns.
    """

    def __init__(self, key: Sequence[str]) -> None:
        self._key = list(key)
        self._batches: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the keys of a page."""
        self._batches.append(batch.select(self._key))

    def check(self, entity: str) -> None:
        """Raise DuplicateKeyError if a key came twice; nulls count as equal."""
        if not self._key or not self._batches:
            return
        keys = pa.Table.from_batches(self._batches)
        repeated = keys.num_rows - keys.group_by(self._key).aggregate([]).num_rows
        if repeated:
            raise DuplicateKeyError(
                f"{entity}: {repeated} of {keys.num_rows} rows repeat the key ({', '.join(self._key)}) of another.",
                remedy="Rows shifted between pages, or the key is wrong. Try again; report it if it happens again.",
            )


async def check_count(entity: str, pager: Pager, count: Count) -> int:
    """Compare the number of rows read with what ION counts.

    If the count that came with the pages agrees, that is enough. If not, ION is asked again, because rows may have been
    created or deleted during the read; with keyset paging only up to the last id read, so that rows added since do not
    matter. If the pager noticed that rows were created or deleted (`moved`), the counts may differ.

    Args:
        entity: For the message.
        pager: The pager, after its last page.
        count: Asks ION for the number of rows, with the given variables.

    Returns:
        The number of rows read.

    Raises:
        CountMismatchError: The counts differ.
    """
    if pager.rows == pager.total or pager.moved:
        return pager.rows
    counted = await count(pager.seen())
    if pager.rows != counted:
        raise CountMismatchError(
            f"{entity}: {pager.rows} rows came, ION counted {pager.total} before and {counted} after.",
            remedy="Nothing was kept. Try again when fewer people work in ION; if the error persists, report it.",
        )
    return counted
