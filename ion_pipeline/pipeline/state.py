"""What the last refresh left, read from the lake's manifests and the warehouse: kept nowhere else, so it cannot differ.

Watermarks come from the manifests of committed loads, rows and ids from `raw`. Loads that the warehouse does not have
yet are applied first, because the rows to compare with are those of the latest load.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ion_pipeline import warehouse
from ion_pipeline.extract import Catalog, EntityPlan, EntityState, Plan, RowDifference, Span, State
from ion_pipeline.extract.decide import FEW_MARKS
from ion_pipeline.extract.plan import Mark
from ion_pipeline.lake import Lake, TableRead
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


@dataclass(frozen=True, slots=True)
class RawSignatures:
    """Compares with the rows of `raw`, which nobody can change as long as the connection is open."""

    connection: duckdb.DuckDBPyConnection

    def compare(self, table: str, key: Sequence[str], rows: pa.Table, span: Span) -> list[RowDifference]:
        """Rows of a table that are not as in `raw`, as far as `rows` has columns."""
        found = warehouse.unequal(self.connection, table, key, rows, above=span.above, until=span.until)
        return [RowDifference(*difference) for difference in found]


def read_state(lake: Lake, database: Path, catalog: Catalog, plan: Plan, *, resources: Resources) -> State:
    """Read it, having applied the loads that wait.

    Args:
        lake: Where the loads are.
        database: The warehouse.
        catalog: Every table.
        plan: What the tenant offers: which marks of changed rows will be compared.
        resources: Memory and threads for DuckDB.

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
        return State(
            {
                name: EntityState(
                    rows.get(name, 0),
                    read.until,
                    read.query_hash,
                    _marks(connection, plan.by_name[name], read.until) if name in plan.by_name and read.until else {},
                )
                for name, read in reads.items()
            },
            raw,
        )


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
    inner: list[dict[int, list[tuple[str, str]]]] = []
    for child in lists:
        columns = identifiers([child.key[0], child.key[-1], "_etag"])
        found: dict[int, list[tuple[str, str]]] = {}
        for owner, key, etag in connection.execute(
            f"select {columns} from raw.{identifier(child.table)} where {identifier(child.key[0])} in ({changed})",
            {"since": since},
        ).fetchall():
            found.setdefault(owner, []).append((key, etag))
        inner.append(found)
    return {row_id: (etag, *(tuple(sorted(found.get(row_id, []))) for found in inner)) for row_id, etag in rows}


def _latest_reads(lake: Lake, load_ids: list[str], wanted: set[str]) -> dict[str, TableRead]:
    """How each entity was read the last time, looking back until all are found."""
    found: dict[str, TableRead] = {}
    for load_id in reversed(load_ids):
        for table in lake.read_manifest(load_id).tables:
            if table.table in wanted and table.table == table.read.entity:
                found.setdefault(table.table, table.read)
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
