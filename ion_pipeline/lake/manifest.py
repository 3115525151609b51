"""The manifest, which describes a load. It is written once and never changed. Pure data and its JSON form, no files.

`_loads/<load id>.json` holds a whole `LoadManifest`; the `_manifest.json` in each table's folder repeats that table's
part, so that the folder can be understood without the rest of the lake.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from ion_pipeline.files.errors import FileWriteError
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.tenant import Tenant

FORMAT = 2
# 1: loads only. 2: also snapshots, and how the tenant's schema differed.
_READABLE = {1, 2}

Strategy = Literal["full", "incremental"]
DriftKind = Literal["missing", "new", "retyped", "new_enum_value"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a load.

    Attributes:
        path: Path relative to the lake's root.
        rows: Rows in the file, tombstones included.
        bytes: Size of the file.
        sha256: Checksum of the whole file, hexadecimal.
    """

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableRead:
    """How a table was read; the reader of the API provides it.

    Attributes:
        entity: The entity that the table was read with.
        strategy: `full`: the load holds all rows, and absent rows were deleted. `incremental`: changes and tombstones.
        nested: Rows came inside other rows, so a row may have come several times.
        total_count: Number of rows by ION's count; None if ION does not count them (nested lists).
        query_hash: Hash of the query text that read the table.
        since: Start of the window of changes; None for a full read.
        until: Start of the next read's window: the latest instant that the database's clock had certainly passed when
            this read began, minus the overlap.
        by_owner: Tombstones name owners, by the first key column alone: a tombstone deletes all rows that the owner had
            before, and the rows that follow are all rows of the owner.
        replaced_by: The column that tombstones name, with `by_owner`; empty for the first key column.
        unsettled: Rows known to have changed again during the load; the next load will read them.
        drifted: For a reconcile, rows with changes that ION did not report, now repaired; None for a refresh.
    """

    entity: str
    strategy: Strategy = "full"
    nested: bool = False
    total_count: int | None = None
    query_hash: str = ""
    since: datetime | None = None
    until: datetime | None = None
    by_owner: bool = False
    replaced_by: str = ""
    unsettled: int = 0
    drifted: int | None = None


@dataclass(frozen=True, slots=True)
class TableManifest:
    """One table in a load.

    Attributes:
        table: Name of the table.
        read: How it was read.
        rows: Rows, without tombstones; a row that came twice counts twice.
        tombstones: Number of tombstones.
        files: The Parquet files, in the order written; at least one, even if there are no rows.
    """

    table: str
    read: TableRead
    rows: int
    tombstones: int
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class SchemaDrift:
    """One way in which the tenant's schema differed from the catalog when a load was read.

    Attributes:
        entity: The entity, or the root connection if the whole entity is new.
        kind: `missing` at the tenant (its column is null); `new` at the tenant (not read); `retyped` (converted without
            loss); `new_enum_value`, found in the rows when the load was applied.
        field: `Type.field`; for a value `table.column`.
        catalog_type: The catalog's type; None where it has no such field.
        tenant_type: The tenant's type, None where it has no such field; for a new value the value.
    """

    entity: str
    kind: DriftKind
    field: str
    catalog_type: str | None = None
    tenant_type: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What makes a manifest a snapshot: it replaces all loads up to one by the row versions that they brought.

    The files of a snapshot hold a table's columns, `_ion_load`, `_ion_seen_at`, `valid_from` and `valid_to`.

    Attributes:
        load_ids: The loads that it replaces, oldest first; the last one gives the snapshot its id.
        load_log: The tables of the warehouse's load log, with the rows about these loads.
    """

    load_ids: tuple[str, ...]
    load_log: tuple[TableManifest, ...]


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """The clocks when a load's read began.

    Attributes:
        ion: ION's clock, by the earliest of its `Date` headers.
        machine: The clock of the machine that read.
        newest: The latest `_updated` that a row had then, among the rows read that are not ahead of both clocks; None
            if there is no such row.
        limit: The latest instant that a watermark of the load may have; None if there is no limit.
        doubts: Why the clocks are doubtful, one sentence for each reason.
    """

    ion: datetime
    machine: datetime
    newest: datetime | None = None
    limit: datetime | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadManifest:
    """One load: everything that a refresh read, to be applied together.

    Attributes:
        format: Version of the document's format.
        load_id: ULID; loads are applied in the order of their ids.
        tenant: The tenant that the data belongs to.
        started_at: The instant the load describes, UTC; its row versions in `raw_history` begin at this instant.
        committed_at: When the load became visible, UTC.
        code_version: Version of this package.
        schema_hash: Hash of the tenant's GraphQL schema.
        requests: HTTP requests sent.
        bytes_received: Bytes received.
        tables: The tables of the load.
        drift: How the tenant's schema differed from the catalog.
        snapshot: Set if the document is a snapshot; the other fields are then those of the last load, and each table's
            `read` is that of its last load.
        read_by: ION's id of the user whose API key was used; None if it is not known.
        clock: The clocks when the read began; None if ION sent no time, and in loads of earlier versions.
    """

    format: int
    load_id: str
    tenant: Tenant
    started_at: datetime
    committed_at: datetime
    code_version: str
    schema_hash: str
    requests: int
    bytes_received: int
    tables: tuple[TableManifest, ...]
    drift: tuple[SchemaDrift, ...] = ()
    snapshot: Snapshot | None = None
    read_by: int | None = None
    clock: ClockRecord | None = None

    @property
    def strategy(self) -> str:
        """`full`, `incremental`, or `mixed` if the tables differ."""
        strategies = {table.read.strategy for table in self.tables}
        return strategies.pop() if len(strategies) == 1 else "mixed"

    @property
    def covers(self) -> tuple[str, ...]:
        """Ids of the loads that the document covers, its own included."""
        return self.snapshot.load_ids if self.snapshot else (self.load_id,)

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Every Parquet file of the load or snapshot."""
        tables = (*self.tables, *(self.snapshot.load_log if self.snapshot else ()))
        return tuple(entry for table in tables for entry in table.files)

    @property
    def rows(self) -> int:
        """Number of rows in all tables, without tombstones."""
        return sum(table.rows for table in self.tables)

    def only(self, table: TableManifest) -> "LoadManifest":
        """The same manifest with only one table."""
        return replace(self, tables=(table,))


_ADAPTER = TypeAdapter(LoadManifest)


def to_json(manifest: LoadManifest, *, indented: bool = True) -> bytes:
    """The manifest as JSON; instants are ISO 8601."""
    document = asdict(manifest)
    # Data directories outlive code: the JSON keys of a snapshot and its load log keep their first names.
    snapshot = document.pop("snapshot")
    document["fold"] = snapshot and {"load_ids": snapshot["load_ids"], "books": snapshot["load_log"]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indented else None)


def from_json(data: bytes, where: str) -> LoadManifest:
    """Read a manifest back.

    Args:
        data: The JSON.
        where: The location of the document, for the error.

    Raises:
        LakeCorruptionError: The JSON is not a manifest, or its format is later than this version reads.
    """
    try:
        document: Any = orjson.loads(data)
        version = document["format"] if isinstance(document, dict) else None
        if version not in _READABLE:
            raise LakeCorruptionError(
                f"The manifest {where} has format {version}; this version reads up to {FORMAT}.",
                remedy="Use the version of ion-pipeline that wrote the manifest, or a later one.",
            )
        if stored := document.pop("fold", None):
            document["snapshot"] = {"load_ids": stored["load_ids"], "load_log": stored["books"]}
        return _ADAPTER.validate_python(document)
    except (ValueError, KeyError, ValidationError) as error:
        raise LakeCorruptionError(
            f"The manifest {where} is not readable ({str(error).splitlines()[0]}).",
            remedy="Restore the file from a backup; until then the load cannot be applied.",
        ) from error


def check_reads(
    load_id: str, reads: Mapping[str, TableRead], *, written: Collection[str], tombstones: Mapping[str, int]
) -> None:
    """Check that the reads cover every table that was written.

    Args:
        load_id: The load.
        reads: Every table that was read, and how.
        written: Tables with rows or tombstones.
        tombstones: Number of tombstones by table.

    Raises:
        FileWriteError: A table was written but is not among the reads, or a full read has tombstones.
    """
    missing = sorted(set(written) - set(reads))
    if missing:
        raise FileWriteError(
            f"Load {load_id} has rows of {', '.join(missing)}, but the commit does not say how they were read.",
            remedy="Pass a TableRead for every table that was written.",
        )
    contradictory = [name for name, read in reads.items() if read.strategy == "full" and tombstones.get(name)]
    if contradictory:
        raise FileWriteError(
            f"Load {load_id} has tombstones in full reads: {', '.join(contradictory)}.",
            remedy="Write tombstones in incremental reads only; in a full read, absent rows count as deleted.",
        )
