"""Are the rows that came the rows there are? Counts and keys, checked after the last page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError
from ion_pipeline.extract.paging import Pager

Count = Callable[[Mapping[str, Any]], Awaitable[int]]


class KeyLog:
    """The keys of an entity whose pages may overlap, kept as Arrow columns: some bytes a row.

    Args:
        key: Key columns.
    """

    def __init__(self, key: Sequence[str]) -> None:
        self._key = list(key)
        self._batches: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Remember the keys of a page."""
        self._batches.append(batch.select(self._key))

    def check(self, entity: str) -> None:
        """Raise DuplicateKeyError if a key came twice; nulls are equal here."""
        if not self._key or not self._batches:
            return
        keys = pa.Table.from_batches(self._batches)
        repeated = keys.num_rows - keys.group_by(self._key).aggregate([]).num_rows
        if repeated:
            raise DuplicateKeyError(
                f"{entity}: {repeated} of {keys.num_rows} rows repeat the key ({', '.join(self._key)}) of another.",
                remedy="Rows shifted between pages, or ION's key is another. Try again; report it if it stays.",
            )


async def check_count(entity: str, pager: Pager, count: Count) -> int:
    """Compare the number of rows read with what ION counts.

    The count that came with the pages is enough if it agrees. If not, ION is asked again, because rows may have come or
    gone meanwhile; under keyset paging only up to the last id read, so that rows added since are no difference. Where
    rows were seen to come or go, they differ by those.

    Args:
        entity: For the message.
        pager: Done with its pages.
        count: Asks ION how many rows there are, with the given variables.

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
            remedy="Nothing was kept. Try again when fewer people are at work; report it if it stays.",
        )
    return counted
