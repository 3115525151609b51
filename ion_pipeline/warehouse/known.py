"""Reads from `raw` what a refresh compares with ION: ids, etags, latest changes, signatures."""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from ion_pipeline.catalog import Catalog, EntityPlan, RowVersion
from ion_pipeline.catalog.plan import RowIdentity, list_version
from ion_pipeline.catalog.references import FLAG
from ion_pipeline.extract import IdRange, RowDifference
from ion_pipeline.extract.decide import FEW_VERSIONS
from ion_pipeline.extract.state import Held
from ion_pipeline.warehouse.connection import Resources, connect
from ion_pipeline.warehouse.diff import diff_rows
from ion_pipeline.warehouse.sql import identifier, identifiers

# Sample sizes: recently changed rows and other rows of each entity, and the number of recently changed entities.
_RECENT, _OTHERS, _SAMPLED = 5, 3, 50


@dataclass(frozen=True, slots=True)
class RawRows:
    """The rows of `raw`, queried on demand."""

    database: Path
    resources: Resources
    catalog: Catalog

    def count(self, tables: Iterable[str]) -> dict[str, int]:
        """Number of rows by table, for the tables that exist."""
        if not self.database.exists():
            return {}
        with connect(self.database, self.resources, read_only=True) as connection:
            counts = {}
            for table in _tables(connection) & set(tables):
                row = connection.execute(f"select count(*) from raw.{identifier(table)}").fetchone()
                counts[table] = row[0] if row else 0
            return counts

    def ids(self, entities: Iterable[str]) -> "dict[str, array[int]]":
        """Ids of each entity's rows, in ascending order. In the table of a list they are text that spells a number."""
        wanted = list(entities)
        if not wanted:
            return {}
        with connect(self.database, self.resources, read_only=True) as connection:
            return {entity: _ids(connection, entity) for entity in wanted}

    def etags(self, entity: str) -> Mapping[int, str | None]:
        """Etags of an entity's rows, by id."""
        with connect(self.database, self.resources, read_only=True) as connection:
            return dict(connection.execute(f"select id::bigint, _etag from raw.{identifier(entity)}").fetchall())

    def latest(self, entities: Iterable[str], rows: int) -> Mapping[str, Mapping[int, Held]]:
        """The most recently changed rows of each entity, by id."""
        wanted, order = list(entities), f"_updated desc limit {rows}"
        if not wanted:
            return {}
        with connect(self.database, self.resources, read_only=True) as connection:
            return {entity: _held(connection, entity, "true", order, True) for entity in wanted}

    def controlled(self, entity: str) -> frozenset[int]:
        """Ids of an entity's rows that have the export control flag."""
        has_flag = FLAG in {column.name for column in self.catalog.tables[entity].columns}
        if not has_flag or not self.database.exists():
            return frozenset()
        with connect(self.database, self.resources, read_only=True) as connection:
            if entity not in _tables(connection):
                return frozenset()
            rows = connection.execute(f"select id from raw.{identifier(entity)} where {identifier(FLAG)}").fetchall()
            return frozenset(row[0] for row in rows)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
    return {row[0] for row in rows}


def _ids(connection: duckdb.DuckDBPyConnection, entity: str) -> "array[int]":
    rows = connection.execute(f"select id::bigint from raw.{identifier(entity)} order by 1")
    ids = array("q")
    while chunk := rows.fetchmany(100_000):
        ids.extend(row[0] for row in chunk)
    return ids


@dataclass(frozen=True, slots=True)
class RawSignatures:
    """Compares rows with those of `raw`, which no other process can change while the connection is open."""

    connection: duckdb.DuckDBPyConnection

    def compare(self, table: str, key: Sequence[str], rows: pa.Table, id_range: IdRange) -> list[RowDifference]:
        """Rows of a table that differ from `raw` in the columns that `rows` has."""
        found = diff_rows(self.connection, table, key, rows, above=id_range.above, until=id_range.until)
        return [RowDifference(*difference) for difference in found]


def newest(
    connection: duckdb.DuckDBPyConnection, plans: Iterable[EntityPlan], ceiling: datetime
) -> dict[str, datetime]:
    """The latest `_updated` of each entity that has one; rows dated after the ceiling are ignored."""
    found = {}
    for plan in plans:
        is_tracked = plan.query is not None and plan.query.tracking.updated
        if not is_tracked or "_updated" not in {column.name for column in plan.entity.columns}:
            continue
        (instant,) = connection.execute(
            f"select epoch_us(max(_updated)) from raw.{identifier(plan.name)} where _updated <= $ceiling",
            {"ceiling": ceiling},
        ).fetchall()[0]
        if instant is not None:
            found[plan.name] = _instant(instant)
    return found


def versions(
    connection: duckdb.DuckDBPyConnection, plan: EntityPlan, since: datetime
) -> Mapping[RowIdentity, RowVersion]:
    """Versions (see `ChangeTracking.version`) of the rows updated since an instant; empty if there are many."""
    entity = plan.entity
    if (
        plan.query is None
        or not plan.query.tracking.version_fields
        or "_updated" not in {c.name for c in entity.columns}
    ):
        return {}
    if not plan.query.tracking.by_id:
        return _versions_by_key(connection, plan, since)
    children = {child.field: child for child in entity.children}
    lists = [children[inner.field] for inner in plan.query.tracking.lists]
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
        f"select id, _etag from raw.{identifier(entity.name)} where id in ({changed}) limit {FEW_VERSIONS + 1}",
        {"since": since},
    ).fetchall()
    if len(rows) > FEW_VERSIONS:
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
    return {row_id: (etag, *(list_version(found.get(row_id, [])) for found in inner)) for row_id, etag in rows}


def _versions_by_key(
    connection: duckdb.DuckDBPyConnection, plan: EntityPlan, since: datetime
) -> dict[RowIdentity, RowVersion]:
    rows = connection.execute(
        f"select {identifiers(plan.entity.key)}, _etag from raw.{identifier(plan.name)} "
        f"where _updated >= $since limit {FEW_VERSIONS + 1}",
        {"since": since},
    ).fetchall()
    return {tuple(map(str, key)): (etag,) for *key, etag in rows} if len(rows) <= FEW_VERSIONS else {}


def samples(
    connection: duckdb.DuckDBPyConnection, asked: Mapping[str, EntityPlan], newest: Mapping[str, datetime], salt: str
) -> dict[str, dict[int, Held]]:
    """A sample of rows of recently changed entities, to compare with ION; each load draws a different sample."""
    tracked = {name: query.tracking for name in newest if (query := asked[name].query)}
    sampled = [name for name, tracking in tracked.items() if tracking.by_id and tracking.version_fields]
    sampled.sort(key=lambda name: newest[name], reverse=True)
    # A row that was just written may be dated slightly after the `Date` header, which has a resolution of seconds.
    ceiling = datetime.now(UTC) + timedelta(minutes=2)
    found = {}
    for name in sampled[:_SAMPLED]:
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
