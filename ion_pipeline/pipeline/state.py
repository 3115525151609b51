"""What the last refresh left, read from the lake's manifests and the warehouse: kept nowhere else, so it cannot differ.

Watermarks come from the manifests of committed loads, rows and ids from `raw`. Loads that the warehouse does not have
yet are applied first, because the rows to compare with are those of the latest load.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from ion_pipeline import warehouse
from ion_pipeline.extract import Catalog, EntityPlan, EntityState, Plan, RowDifference, Span, State
from ion_pipeline.extract.decide import FEW_MARKS
from ion_pipeline.extract.plan import Mark, list_mark
from ion_pipeline.extract.references import FLAG
from ion_pipeline.extract.state import Held
from ion_pipeline.lake import Lake, LoadManifest, TableRead
from ion_pipeline.pipeline.read_clock import ReadClock
from ion_pipeline.warehouse import Resources
from ion_pipeline.warehouse.sql import identifier, identifiers


@dataclass(frozen=True, slots=True)
class RawRows:
    """The rows of `raw`, looked up when asked for."""

    database: Path
    resources: Resources
    catalog: Catalog

    def count(self, tables: Iterable[str]) -> dict[str, int]:
        """Rows by table; a table that is not there has none."""
        if not self.database.exists():
            return {}
        with warehouse.connect(self.database, self.resources, read_only=True) as connection:
            there = {
                row[0]
                for row in connection.execute(
                    "select table_name from duckdb_tables() where schema_name = 'raw'"
                ).fetchall()
            }
            counts = {}
            for table in there & set(tables):
                row = connection.execute(f"select count(*) from raw.{identifier(table)}").fetchone()
                counts[table] = row[0] if row else 0
            return counts

    def ids(self, entity: str) -> "array[int]":
        """Ids of an entity's rows, ascending."""
        with warehouse.connect(self.database, self.resources, read_only=True) as connection:
            rows = connection.execute(f"select id from raw.{identifier(entity)} order by id")
            ids = array("q")
            while chunk := rows.fetchmany(100_000):
                ids.extend(row[0] for row in chunk)
            return ids

    def etags(self, entity: str) -> Mapping[int, str | None]:
        """Id to etag of an entity's rows."""
        with warehouse.connect(self.database, self.resources, read_only=True) as connection:
            return dict(connection.execute(f"select id, _etag from raw.{identifier(entity)}").fetchall())

    def latest(self, entity: str, rows: int) -> Mapping[int, Held]:
        """The rows of an entity that changed last."""
        with warehouse.connect(self.database, self.resources, read_only=True) as connection:
            return _held(connection, entity, "true", f"_updated desc limit {rows}", True)

    def controlled(self, entity: str) -> frozenset[int]:
        """Ids of an entity's rows that say of themselves that they are export controlled."""
        has_flag = FLAG in {column.name for column in self.catalog.tables[entity].columns}
        if not has_flag or not self.count([entity]):
            return frozenset()
        with warehouse.connect(self.database, self.resources, read_only=True) as connection:
            rows = connection.execute(f"select id from raw.{identifier(entity)} where {identifier(FLAG)}").fetchall()
            return frozenset(row[0] for row in rows)


@dataclass(frozen=True, slots=True)
class RawSignatures:
    """Compares with the rows of `raw`, which nobody can change as long as the connection is open."""

    connection: duckdb.DuckDBPyConnection

    def compare(self, table: str, key: Sequence[str], rows: pa.Table, span: Span) -> list[RowDifference]:
        """Rows of a table that are not as in `raw`, as far as `rows` has columns."""
        found = warehouse.unequal(self.connection, table, key, rows, above=span.above, until=span.until)
        return [RowDifference(*difference) for difference in found]


def read_state(
    lake: Lake,
    database: Path,
    catalog: Catalog,
    plan: Plan,
    *,
    resources: Resources,
    clock: ReadClock | None = None,
    overlap: timedelta = timedelta(),
) -> State:
    """Read it, having applied the loads that wait.

    Args:
        lake: Where the loads are.
        database: The warehouse.
        catalog: Every table.
        plan: What the tenant offers: which marks of changed rows will be compared.
        resources: Memory and threads for DuckDB.
        clock: What watermarks are compared with; receives the latest `_updated` known, and what is doubtful.
        overlap: How long a change may take to show after the instant it is dated to.

    Raises:
        IonPipelineError: See `warehouse.load`, and the lake's manifests.
    """
    load_ids = lake.load_ids()
    if not load_ids:
        return State()
    if set(load_ids) - _applied(database, resources):
        warehouse.load(lake, database, catalog.tables.values(), resources=resources)
    reads = _latest_reads(lake, load_ids, set(catalog.entities))
    raw = RawRows(database, resources, catalog)
    rows = raw.count(reads)
    with warehouse.connect(database, resources, read_only=True) as connection:
        asked = {name: plan.by_name[name] for name in reads if name in plan.by_name and rows.get(name)}
        newest = _newest(connection, asked.values(), clock)
        since = _watermarks(asked, reads, newest, clock, overlap) if clock and clock.clocks else {}
        samples = _samples(connection, asked, newest, max(load_ids))
        return State(
            {
                name: EntityState(
                    rows.get(name, 0),
                    until := since.get(name, read.until),
                    read.query_hash,
                    _marks(connection, plan.by_name[name], until) if name in plan.by_name and until else {},
                    samples.get(name, {}),
                )
                for name, (read, _) in reads.items()
            },
            raw,
        )


def _newest(
    connection: duckdb.DuckDBPyConnection, plans: Iterable[EntityPlan], clock: ReadClock | None
) -> dict[str, datetime]:
    """The latest `_updated` of each entity that has one, as far as it is not in the future of the clocks."""
    ceiling = clock.clocks.earliest if clock and clock.clocks else datetime.now(UTC)
    found = {}
    for plan in plans:
        is_told = plan.query is not None and plan.query.watch.updated
        if not is_told or "_updated" not in {column.name for column in plan.entity.columns}:
            continue
        (instant,) = connection.execute(
            f"select epoch_us(max(_updated)) from raw.{identifier(plan.name)} where _updated <= $ceiling",
            {"ceiling": ceiling},
        ).fetchall()[0]
        if instant is not None:
            found[plan.name] = _instant(instant)
    return found


def _watermarks(
    asked: Mapping[str, EntityPlan],
    reads: Mapping[str, tuple[TableRead, LoadManifest]],
    newest: Mapping[str, datetime],
    clock: ReadClock,
    overlap: timedelta,
) -> dict[str, datetime | None]:
    """From when on changes are asked for, entity by entity: a watermark that cannot be true is not believed."""
    latest = clock.newest = max(newest.values(), default=None)
    if clock.clocks is None:
        return {}
    earliest, found, future = clock.clocks.earliest, dict[str, datetime | None](), []
    for name, plan in asked.items():
        read, manifest = reads[name]
        until, watch = read.until, plan.query.watch if plan.query else None
        if until is None or watch is None or not watch.updated:
            continue
        if until > earliest:
            future.append(until)
        if latest is not None and (until > earliest or manifest.clock is None):
            # From a version that trusted the header, or from a clock that has been set back since.
            until = min(until, latest - overlap)
        elif until > earliest:
            until = earliest - overlap
        if not watch.mark_fields and name in newest:
            # Rows without marks would be read again by each refresh; none of them is later than this.
            believed = min(manifest.started_at, earliest) - overlap
            until = max(until, min(believed, newest[name] + timedelta(microseconds=1)))
        found[name] = until
    if future:
        clock.doubts.append(
            f"Watermarks of {len(future)} entities lie in the future (the latest {max(future):%Y-%m-%d %H:%M:%S} UTC): "
            "changes are asked for from the latest change that is known."
        )
    return found


def _marks(connection: duckdb.DuckDBPyConnection, plan: EntityPlan, since: datetime) -> dict[int, Mark]:
    """Marks of the rows changed since an instant, by their own account, as `Watch.mark` makes them; none if many."""
    entity = plan.entity
    if plan.query is None or not plan.query.watch.mark_fields or "_updated" not in {c.name for c in entity.columns}:
        return {}
    children = {child.field: child for child in entity.children}
    lists = [children[inner.field] for inner in plan.query.watch.lists]
    changed = " union ".join(
        [
            f"select id from raw.{identifier(entity.name)} where _updated >= $since",
            *(
                f"select {identifier(child.key[0])} from raw.{identifier(child.table)} where _updated >= $since"
                for child in lists
            ),
        ]
    )
    rows = connection.execute(
        f"select id, _etag from raw.{identifier(entity.name)} where id in ({changed}) limit {FEW_MARKS + 1}",
        {"since": since},
    ).fetchall()
    if len(rows) > FEW_MARKS:
        return {}
    inner: list[dict[int, list[tuple[str | None, str | None]]]] = []
    for child in lists:
        columns = identifiers([child.key[0], child.key[-1], "_etag"])
        found: dict[int, list[tuple[str | None, str | None]]] = {}
        for owner, key, etag in connection.execute(
            f"select {columns} from raw.{identifier(child.table)} where {identifier(child.key[0])} in ({changed})",
            {"since": since},
        ).fetchall():
            found.setdefault(owner, []).append((key, etag))
        inner.append(found)
    return {row_id: (etag, *(list_mark(found.get(row_id, [])) for found in inner)) for row_id, etag in rows}


# Of each entity: rows that changed last, and others; and of how many entities, those that changed last.
_RECENT, _OTHERS, _SAMPLED = 5, 3, 50


def _samples(
    connection: duckdb.DuckDBPyConnection, asked: Mapping[str, EntityPlan], newest: Mapping[str, datetime], salt: str
) -> dict[str, dict[int, Held]]:
    """Some rows of the entities that changed last, others after each load, to be compared with what ION has."""
    marked = [name for name in newest if (query := asked[name].query) and query.watch.mark_fields]
    marked.sort(key=lambda name: newest[name], reverse=True)
    # A row just written may be a moment ahead of a header, which knows only seconds.
    ceiling = datetime.now(UTC) + timedelta(minutes=2)
    found = {}
    for name in marked[:_SAMPLED]:
        known = {"ceiling": ceiling}
        others = _held(connection, name, "true", f"hash(id::varchar || $salt) limit {_OTHERS}", False, salt=salt)
        recent = _held(connection, name, "_updated <= $ceiling", f"_updated desc limit {_RECENT}", True, **known)
        found[name] = {**others, **recent}
    return found


def _held(
    connection: duckdb.DuckDBPyConnection, entity: str, where: str, order: str, recent: bool, **values: object
) -> dict[int, Held]:
    rows = connection.execute(
        f"select id, epoch_us(_updated), _etag from raw.{identifier(entity)} "
        f"where _updated is not null and {where} order by {order}",
        values,
    ).fetchall()
    return {row_id: Held(_instant(updated), etag, recent) for row_id, updated, etag in rows}


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _latest_reads(lake: Lake, load_ids: list[str], wanted: set[str]) -> dict[str, tuple[TableRead, LoadManifest]]:
    """How each entity was read the last time, and in which load, looking back until all are found."""
    found: dict[str, tuple[TableRead, LoadManifest]] = {}
    for load_id in reversed(load_ids):
        manifest = lake.read_manifest(load_id)
        for table in manifest.tables:
            if table.table in wanted and table.table == table.read.entity:
                found.setdefault(table.table, (table.read, manifest))
        if len(found) == len(wanted):
            break
    return found


def _applied(database: Path, resources: Resources) -> set[str]:
    if not database.exists():
        return set()
    with warehouse.connect(database, resources, read_only=True) as connection:
        there = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = '_ion_loads'"
        ).fetchone()
        rows = connection.execute("select load_id from raw._ion_loads").fetchall() if there else []
        return {row[0] for row in rows}
