"""How old the changes of a load were when it was committed: the delay from ION to the lake.

A load log that kept each change would grow like the history, and quantiles of loads cannot be added up. So each delay
is rounded up to whole seconds and two significant digits, and the changes with the same delay are counted: at most
ninety rows for each power of ten, at most one for each change, and an error below a tenth.
"""

from datetime import datetime, timedelta

import duckdb

from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.lake import LoadManifest

# A clock that is behind ION's would make the newest changes younger than nothing.
_DELAYS = f"""
    with changes as (
        select greatest(0, epoch($committed_at) - epoch({UPDATED})) as seconds from temp._ion_changed
        where is_dated_anew and {UPDATED} is not null
    )

    select
        case
            when seconds < 100 then ceil(seconds)
            else ceil(seconds / pow(10, floor(log10(seconds)) - 1)) * pow(10, floor(log10(seconds)) - 1)
        end as delay_seconds,
        count(*) as changes
    from changes
    group by all
    order by all
"""  # noqa: S608 -- our own names


def committed_by_ions_clock(manifest: LoadManifest) -> datetime:
    """When the load was committed, by the clock that dates the changes: ION's.

    The difference of the two clocks is that at the start of the read. It is not known, and counts as none, if ION sent
    no time, or if the read resumes an interrupted one.
    """
    ahead = manifest.clock.ion - manifest.clock.machine if manifest.clock else timedelta()
    return manifest.committed_at + ahead


def delays(connection: duckdb.DuckDBPyConnection, committed_at: datetime) -> tuple[tuple[float, int], ...]:
    """The delays of the changes in `temp._ion_changed` that have a new `_updated`, with their number, shortest first.

    A row that differs although its `_updated` is the same has no known instant of change, for example after a column
    was added to the catalog.

    Args:
        connection: The warehouse, in the transaction of a load.
        committed_at: When the load was committed, by ION's clock.
    """
    return tuple(connection.execute(_DELAYS, {"committed_at": committed_at}).fetchall())
