"""The row versions of a table, from all of its loads at once: SQL that Spark and DuckDB both read.

`warehouse.merge` applies one load after another to tables that it changes. An engine of many machines has no such
tables, so it derives the same versions from the files of all loads in one query. Pure functions that return SQL.

A row ends at the first of these: the next load that holds its key; the next full read of the table, which holds all
rows that there are; the next read of its owner, where lists are read by owner. If the next load that holds the key
brings the same values, the version continues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

#: Columns of the relation `loads` of `versions_sql`, with types that Spark and DuckDB share.
LOAD_COLUMNS = {
    "load_number": "bigint",
    "load_id": "string",
    "valid_from": "timestamp",
    "by_owner": "boolean",
    "next_full": "bigint",
}


@dataclass(frozen=True, slots=True)
class TableLoad:
    """One load of a table.

    Attributes:
        load_number: Place of the load among all loads, from 1; the snapshot that they follow is 0.
        load_id: Its ULID.
        valid_from: Start of the versions that it brings.
        is_full: Whether rows that the load does not hold were deleted.
        by_owner: Whether tombstones name owners, whose rows follow.
    """

    load_number: int
    load_id: str
    valid_from: datetime
    is_full: bool
    by_owner: bool


LoadRow = tuple[int, str, datetime | None, bool, int | None]


def load_rows(loads: Sequence[TableLoad], snapshot_id: str = "") -> list[LoadRow]:
    """The rows of the relation `loads`: each load, and number 0 for what the snapshot holds.

    Args:
        loads: The loads of the table, in their order.
        snapshot_id: The load that the snapshot ends with; empty without a snapshot.
    """
    full = [load.load_number for load in loads if load.is_full and not load.by_owner]

    def next_full(number: int) -> int | None:
        return next((one for one in full if one > number), None)

    rows = [(one.load_number, one.load_id, one.valid_from, one.by_owner, next_full(one.load_number)) for one in loads]
    return [(0, snapshot_id, None, False, next_full(0)), *rows]


def first_versions_sql(key: Sequence[str], *, quote: str = "`") -> str:
    """As `versions_sql`, of a table with one load and no snapshot before it, whose tombstones do not name owners.

    A build of a new warehouse has such tables only, and a plan without windows over many loads is made in a fraction of
    the time.
    """
    keys = ", ".join(f"row_values.{quote}{name}{quote}" for name in key)
    return f"""
with latest as (
    select *, row_number() over (partition by {keys} order by place desc) as recency from incoming
)
select
    row_values, _ion_load, _ion_seen_at, (select max(valid_from) from loads) as valid_from,
    cast(null as timestamp) as valid_to, true as is_current
from latest
where recency = 1 and not _ion_deleted
"""  # noqa: S608 -- names of the catalog, quoted


def versions_sql(key: Sequence[str], *, owner: str = "", quote: str = "`") -> str:
    """SQL of all versions of a table: the columns of `kept` below, and `is_current`.

    `row_values` is a row of the table as one struct: a plan with a column for each of a hundred fields takes seconds.
    The query reads three relations:
    - `loads`, with `LOAD_COLUMNS` and the rows of `load_rows`;
    - `incoming`, the rows of all loads: `row_values`, the lake's columns, and `place`, in the order of writing;
    - `kept`, the versions in the snapshot: `row_values`, `_ion_load`, `_ion_seen_at`, `valid_from` and `valid_to`.

    Args:
        key: The columns that identify a row; null is a value there.
        owner: The column that tombstones name, if a load is by owner.
        quote: The character that quotes a name.
    """
    fields = [f"row_values.{quote}{name}{quote}" for name in key]
    keys = ", ".join(f"key_{number}" for number in range(len(fields)))
    named = ", ".join(f"{field} as key_{number}" for number, field in enumerate(fields))
    kept = ", ".join(f"kept.{field}" for field in fields)
    events = _events_by_owner(keys, named, kept, f"row_values.{quote}{owner}{quote}") if owner else ""
    # Names of the catalog, quoted, are all that is pasted.
    return f"""
with {events or _events(keys, named, kept)},
neighbours as (
    select
        *,
        lead(load_number) over of_key as next_number,
        coalesce(lag(is_live) over of_key, false)
        and coalesce(lag(absent_at) over of_key >= load_number, true)
        and row_values is not distinct from lag(row_values) over of_key as is_continued
    from ends
    window of_key as (partition by {keys} order by load_number)
),
begun as (
    select *, is_live and not is_continued as is_version from neighbours
),
-- The last event of a version says when it ends: the rows are absent from a load, or the next event is another version.
ended as (
    select
        *,
        case
            when not is_live then null
            when absent_at < coalesce(next_number, absent_at + 1) then absent_at
            when not (lead(is_live) over of_key and not lead(is_version) over of_key) then next_number
        end as stops_at,
        sum(case when is_version then 1 else 0 end) over (
            partition by {keys} order by load_number rows between unbounded preceding and current row
        ) as version_number
    from begun
    window of_key as (partition by {keys} order by load_number)
),
versions as (
    select *, max(stops_at) over (partition by {keys}, version_number) as ends_at from ended
)
select
    versions.row_values, versions._ion_load, versions._ion_seen_at, versions.valid_from, stops.valid_from as valid_to,
    versions.ends_at is null as is_current
from versions
left join loads as stops on versions.ends_at = stops.load_number
where versions.is_version
union all
select row_values, _ion_load, _ion_seen_at, valid_from, valid_to, false as is_current
from kept
where valid_to is not null
"""  # noqa: S608


def _events(keys: str, named: str, kept: str) -> str:
    """The relation `ends` of a table of which no tombstone names an owner: Spark has half as much to plan."""
    return f"""rows_read as (
    select incoming.*, loads.load_number, loads.valid_from, loads.next_full, {named}
    from incoming
    inner join loads on incoming._ion_load = loads.load_id and loads.load_number > 0
),
latest as (
    select *, row_number() over (partition by load_number, {keys} order by place desc) as recency from rows_read
),
ends as (
    select
        row_values, {keys}, _ion_load, _ion_seen_at, load_number, valid_from, next_full as absent_at,
        not _ion_deleted as is_live
    from latest
    where recency = 1
    union all
    select
        kept.row_values, {kept}, kept._ion_load, kept._ion_seen_at, loads.load_number, kept.valid_from,
        loads.next_full, true as is_live
    from kept
    inner join loads on loads.load_number = 0
    where kept.valid_to is null
)"""  # noqa: S608


def _events_by_owner(keys: str, named: str, kept: str, owner: str) -> str:
    """The relation `ends`: each row as each load has it, and the next load that does not have it."""
    no_keys = ", ".join("null" for _ in keys.split(", "))
    return f"""rows_read as (
    select
        incoming.*, loads.load_number, loads.valid_from, loads.by_owner, loads.next_full, {named},
        {owner} as owner_value
    from incoming
    inner join loads on incoming._ion_load = loads.load_id and loads.load_number > 0
),
since_owner as (
    select
        *,
        max(case when by_owner and _ion_deleted then place end) over (
            partition by load_number, owner_value
        ) as owner_place
    from rows_read
),
latest as (
    select *, row_number() over (partition by load_number, {keys} order by place desc) as recency
    from since_owner
    where not (by_owner and _ion_deleted) and (owner_place is null or place > owner_place)
),
events as (
    select
        row_values, {keys}, owner_value, _ion_load, _ion_seen_at, load_number, valid_from, next_full,
        not _ion_deleted as is_live, false as is_owner
    from latest
    where recency = 1
    union all
    select
        kept.row_values, {kept}, kept.{owner}, kept._ion_load, kept._ion_seen_at, loads.load_number,
        kept.valid_from, loads.next_full, true as is_live, false as is_owner
    from kept
    inner join loads on loads.load_number = 0
    where kept.valid_to is null
    union all
    select distinct
        null, {no_keys}, owner_value, null, null, load_number, null, cast(null as bigint), false as is_live,
        true as is_owner
    from rows_read
    where by_owner and _ion_deleted and owner_value is not null
),
owned as (
    select
        *,
        min(case when is_owner then load_number end) over (
            partition by owner_value order by load_number range between 1 following and unbounded following
        ) as owner_end
    from events
),
ends as (
    select *, least(coalesce(next_full, owner_end), coalesce(owner_end, next_full)) as absent_at
    from owned
    where not is_owner
)"""  # noqa: S608
