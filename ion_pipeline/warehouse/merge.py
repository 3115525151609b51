"""Merges one table of one load into `raw` and `raw_history`, with set-based SQL in the caller's transaction.

A row has changed if any of its columns `is distinct from` the row in `raw`. The values themselves are compared, not
hashes, so that no change is missed. An unchanged row keeps its version: nothing is written for it. Nulls in key columns
are compared as values.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.lake import LAKE_COLUMNS, TableManifest
from ion_pipeline.warehouse.delays import delays
from ion_pipeline.warehouse.errors import REBUILD_REMEDY, CountMismatchError, DuplicateKeyError
from ion_pipeline.warehouse.load_log import TableChange
from ion_pipeline.warehouse.schemas import HISTORY, RAW
from ion_pipeline.warehouse.source import projection
from ion_pipeline.warehouse.sql import identifier, identifiers
from ion_pipeline.warehouse.tables import VERSION_COLUMNS, TableLike

_EXAMPLES = 3


def merge(
    connection: duckdb.DuckDBPyConnection,
    table: TableLike,
    manifest: TableManifest,
    files: Sequence[Path],
    *,
    valid_from: datetime,
    committed_at: datetime,
) -> TableChange:
    """Apply one table of one load.

    Args:
        connection: The warehouse, in a transaction.
        table: Columns and key as in the current catalog; columns that the files lack are null.
        manifest: How the table was read.
        files: The Parquet files of the table.
        valid_from: Start of the versions that this load adds, and end of the versions that it replaces.
        committed_at: When the load was committed, by ION's clock.

    Raises:
        DuplicateKeyError: A full read of a root connection returned a key twice.
        CountMismatchError: After the merge, the table does not hold the rows of the load.
        RetypedColumnError: Values of a column do not fit the catalog's type.
    """
    return _Merge(connection, table, manifest, files).apply(valid_from, committed_at)


class _Merge:
    """The statements of one merge, which share the SQL of the incoming rows."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: TableLike, manifest: TableManifest, files: Sequence[Path]
    ) -> None:
        self._connection = connection
        self._table = table
        self._manifest = manifest
        self._files = [str(path) for path in files]
        self._is_full = manifest.read.strategy == "full"
        self._raw = identifier(RAW, table.name)
        self._history = identifier(HISTORY, table.name)
        self._keys = list(table.key)
        self._owner = identifier(manifest.read.replaced_by or table.key[0])
        self._columns = [column.name for column in table.columns]
        self._versioned = identifiers([*self._columns, *VERSION_COLUMNS])
        self._incoming = ""

    def apply(self, valid_from: datetime, committed_at: datetime) -> TableChange:
        (before,) = self._row(f"select count(*) from {self._raw}")
        if self._manifest.rows + self._manifest.tombstones == 0 and (before == 0 or not self._is_full):
            return TableChange(self._table.name, 0, 0, 0, 0, before)
        rows_read, distinct_keys = self._read_incoming()
        inserted, updated, deleted = self._compare(valid_from) if before else (self._fill(valid_from), 0, 0)
        # What a first load finds has not changed lately, or not only.
        is_timed = bool(before and UPDATED in self._columns)
        (after,) = self._row(f"select count(*) from {self._raw}")
        if self._is_full and after != distinct_keys:
            raise CountMismatchError(
                f"After the load, {RAW}.{self._table.name} would hold {after} rows instead of {distinct_keys}.",
                remedy=f"The load was rolled back. {REBUILD_REMEDY}",
            )
        return TableChange(
            self._table.name,
            rows_read,
            inserted,
            updated,
            deleted,
            after,
            delays=delays(self._connection, committed_at) if is_timed else (),
        )

    def _fill(self, valid_from: datetime) -> int:
        """Insert all rows into an empty table, as in a first load, without a comparison. Returns rows inserted."""
        (inserted,) = self._row(
            f"insert into {self._raw} ({self._versioned}) "
            f"select {self._versioned} from {self._incoming} where not _ion_deleted",
            files=self._files,
        )
        self._begin_versions(self._raw, valid_from)
        return inserted

    def _compare(self, valid_from: datetime) -> tuple[int, int, int]:
        """Write the rows that differ from `raw`. Returns rows inserted, updated and deleted."""
        self._find_changed()
        self._find_gone()
        inserted, updated = self._row(
            "select count(*) filter (is_new), count(*) filter (not is_new) from temp._ion_changed"
        )
        (deleted,) = self._row("select count(*) from temp._ion_gone")
        if updated or deleted:
            self._close_versions(valid_from)
        if inserted or updated:
            self._connection.execute(
                f"insert into {self._raw} ({self._versioned}) select {self._versioned} from temp._ion_changed"
            )
            self._begin_versions("temp._ion_changed", valid_from)
        return inserted, updated, deleted

    def _row(self, sql: str, **parameters: object) -> tuple[int, ...]:
        row = self._connection.execute(sql, parameters).fetchone()
        if row is None:
            raise RuntimeError(f"No row from: {sql}")
        return tuple(row)

    def _read_incoming(self) -> tuple[int, int]:
        """Set the SQL of the incoming rows, with each key once. Returns rows read and distinct keys."""
        columns = [
            *projection(self._connection, self._table, self._files),
            *identifiers(LAKE_COLUMNS.names).split(", "),
        ]
        rows = (
            f"select {', '.join(columns)}, _ion_file, file_row_number from read_parquet($files, "
            "filename := '_ion_file', file_row_number := true, hive_partitioning := false)"
        )
        self._incoming = f"({rows})"
        keys = identifiers(self._keys)
        rows_read, distinct_keys = self._row(
            "select coalesce(sum(n), 0)::bigint, count(*) from "
            f"(select count(*) as n from {self._incoming} group by {keys})",
            files=self._files,
        )
        if rows_read != self._manifest.rows + self._manifest.tombstones:
            raise CountMismatchError(
                f"{self._table.name}: the files hold {rows_read} rows, the manifest says "
                f"{self._manifest.rows + self._manifest.tombstones}.",
                remedy="The files were changed after the load was written: restore the lake from a backup.",
            )
        if self._manifest.read.by_owner:
            self._incoming = self._since_their_owner()
        if rows_read != distinct_keys:
            if self._is_full and not self._manifest.read.nested:
                raise self._duplicate_keys(rows_read - distinct_keys)
            # The files hold rows in the order in which they were read, so the last row of a key is the latest. The
            # tombstone of an owner is not the row of a key: a row may have nulls where the tombstone has them.
            of_key = f"{keys}, _ion_deleted" if self._manifest.read.by_owner else keys
            self._incoming = (
                f"(select * from {self._incoming} qualify row_number() over "
                f"(partition by {of_key} order by _ion_file desc, file_row_number desc) = 1)"
            )
        return rows_read, distinct_keys

    def _since_their_owner(self) -> str:
        """SQL of the rows since the last tombstone of their owner: reading an owner again replaces its earlier rows."""
        placed = (
            f"select *, row_number() over (order by _ion_file, file_row_number) as _ion_place from {self._incoming}"
        )
        return (
            f"(select * exclude (_ion_place) from ({placed}) qualify _ion_place >= coalesce(max(_ion_place) "
            f"filter (_ion_deleted) over (partition by {self._owner}), 0))"
        )

    def _duplicate_keys(self, surplus: int) -> DuplicateKeyError:
        keys = identifiers(self._keys)
        examples = self._connection.execute(
            f"select {keys} from {self._incoming} group by {keys} having count(*) > 1 "
            f"order by {keys} limit {_EXAMPLES}",
            {"files": self._files},
        ).fetchall()
        shown = "; ".join(
            ", ".join(f"{key}={value!r}" for key, value in zip(self._keys, row, strict=True)) for row in examples
        )
        return DuplicateKeyError(
            f"The read of {self._table.name} returned {surplus} rows too many: the keys {shown} occur more than once.",
            remedy="Rows moved between pages during the read: refresh again. The load was not applied.",
        )

    def _same_key(self, left: str, right: str) -> str:
        return " and ".join(
            f"{left}.{identifier(key)} is not distinct from {right}.{identifier(key)}" for key in self._keys
        )

    def _find_changed(self) -> None:
        others = [name for name in self._columns if name not in self._keys]
        differs = " or ".join(f"i.{identifier(name)} is distinct from r.{identifier(name)}" for name in others)
        versioned = [*self._columns, *VERSION_COLUMNS]
        is_dated_anew = f"i.{UPDATED} is distinct from r.{UPDATED}" if UPDATED in others else "false"
        self._connection.execute(
            f"create or replace temp table _ion_changed as "
            f"select {identifiers(versioned, 'i')}, r._ion_load is null as is_new, {is_dated_anew} as is_dated_anew "
            f"from {self._incoming} as i left join {self._raw} as r on {self._same_key('i', 'r')} "
            f"where not i._ion_deleted and (r._ion_load is null or {differs or 'false'})",
            {"files": self._files},
        )

    def _find_gone(self) -> None:
        if self._manifest.read.by_owner:
            owner = self._owner
            self._connection.execute(
                f"create or replace temp table _ion_gone as select {identifiers(self._keys, 'r')} "
                f"from {self._raw} as r semi join (select {owner} from {self._incoming} where _ion_deleted) as o "
                f"on r.{owner} = o.{owner} anti join (select * from {self._incoming} where not _ion_deleted) as i "
                f"on {self._same_key('i', 'r')}",
                {"files": self._files},
            )
            return
        # A full read has no tombstones: rows that it does not hold were deleted.
        join, rows = ("anti", "true") if self._is_full else ("semi", "_ion_deleted")
        self._connection.execute(
            f"create or replace temp table _ion_gone as select {identifiers(self._keys, 'r')} from {self._raw} as r "
            f"{join} join (select * from {self._incoming} where {rows}) as i on {self._same_key('i', 'r')}",
            {"files": self._files},
        )

    def _close_versions(self, valid_to: datetime) -> None:
        keys = identifiers(self._keys)
        ended = f"(select {keys} from temp._ion_gone union all select {keys} from temp._ion_changed where not is_new)"
        self._connection.execute(
            f"update {self._history} as h set valid_to = $valid_to, is_current = false from {ended} as e "
            f"where h.is_current and {self._same_key('h', 'e')}",
            {"valid_to": valid_to},
        )
        self._connection.execute(f"delete from {self._raw} as r using {ended} as e where {self._same_key('r', 'e')}")

    def _begin_versions(self, rows: str, valid_from: datetime) -> None:
        self._connection.execute(
            f"insert into {self._history} ({self._versioned}, valid_from, valid_to, is_current) "
            f"select {self._versioned}, $valid_from, null, true from {rows}",
            {"valid_from": valid_from},
        )
