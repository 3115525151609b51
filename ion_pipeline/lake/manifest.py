"""What a load says about itself. Written once, never changed; pure data and its JSON form, no files.

`_loads/<load id>.json` holds a whole `LoadManifest`; the `_manifest.json` in each table's folder repeats that table's
part, so that a folder explains itself to someone who finds it without the rest.
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
# 1: loads only. 2: folds, and how the tenant's schema differed.
_READABLE = {1, 2}

Strategy = Literal["full", "incremental"]
DriftKind = Literal["missing", "new", "retyped", "new_enum_value"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a load.

    Attributes:
        path: Place below the lake's root.
        rows: Rows in it, tombstones included.
        bytes: Size.
        sha256: Checksum of the whole file, hexadecimal.
    """

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableRead:
    """How a table was read: what the reader of the API knows and the lake does not.

    Attributes:
        entity: The entity the table came with.
        strategy: `full`: these are all rows, what is absent was deleted. `incremental`: changes and tombstones.
        nested: Rows came inside other rows, so one may have come several times.
        total_count: What ION said there are; None where it does not say (nested lists).
        query_hash: Hash of the query text that read it.
        since: Start of the window of changes; None for a full read.
        until: The next read's window starts here: an instant of this one's start that the
            database's clock has certainly passed, less the overlap.
        by_owner: Tombstones name owners, by the first key column alone: what an owner had before its tombstone is gone,
            and what follows is all it has.
        unsettled: Rows known to have changed again while the load was read; the next one brings them.
        drifted: Rows that a reconcile found to have changed unseen, and repaired; None for a refresh.
    """

    entity: str
    strategy: Strategy = "full"
    nested: bool = False
    total_count: int | None = None
    query_hash: str = ""
    since: datetime | None = None
    until: datetime | None = None
    by_owner: bool = False
    unsettled: int = 0
    drifted: int | None = None


@dataclass(frozen=True, slots=True)
class TableManifest:
    """One table in a load.

    Attributes:
        table: Name of the table.
        read: How it was read.
        rows: Rows, without tombstones; a row that came twice counts twice.
        tombstones: Rows known to be deleted.
        files: The Parquet files, in the order written; at least one, even without rows.
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
        entity: The entity, or the root connection where it is new as a whole.
        kind: `missing` at the tenant (its column is null); `new` at the tenant (not read); `retyped` (converted without
            loss); `new_enum_value`, found in the rows of a load when it was applied.
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
    """What makes a document a fold: all loads up to one, as the versions of rows that they brought.

    Files of a fold hold a table's columns, `_ion_load`, `_ion_seen_at`, `valid_from` and `valid_to`.

    Attributes:
        load_ids: The loads it stands for, oldest first; the last one gives the fold its id.
        load_log: What the warehouse notes about loads, for these loads, as tables of their own.
    """

    load_ids: tuple[str, ...]
    load_log: tuple[TableManifest, ...]


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """The clocks when a load's read began.

    Attributes:
        ion: ION's, by the earliest of its `Date` headers.
        machine: That of the machine that read.
        newest: The latest `_updated` that rows had then, as far as they were seen and not dated ahead of both clocks;
            None where no row was seen.
        limit: What no watermark of the load may pass; None where nothing limits it.
        doubts: What was doubtful about them, a sentence each.
    """

    ion: datetime
    machine: datetime
    newest: datetime | None = None
    limit: datetime | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadManifest:
    """One load: everything a refresh read, to be applied together.

    Attributes:
        format: Version of this document.
        load_id: ULID; loads apply in the order of their ids.
        tenant: Whose data it is.
        started_at: The instant the load describes, UTC: versions begin here in `raw_history`.
        committed_at: When it became visible, UTC.
        code_version: Version of this package.
        schema_hash: Hash of the tenant's GraphQL schema.
        requests: HTTP requests it took.
        bytes_received: Bytes received for it.
        tables: What it holds.
        drift: How the tenant's schema differed from the catalog.
        snapshot: Set where this stands for all loads up to it; the other fields are then those of the last load, and
            each table's `read` is its last.
        read_by: ION's id of the user whose key read it; None where that is not known.
        clock: The clocks when its read began; None where ION sent no time, and in loads of earlier versions.
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
        """`full`, `incremental`, or `mixed` where tables differ."""
        strategies = {table.read.strategy for table in self.tables}
        return strategies.pop() if len(strategies) == 1 else "mixed"

    @property
    def covers(self) -> tuple[str, ...]:
        """Ids of the loads that are in this document, its own included."""
        return self.snapshot.load_ids if self.snapshot else (self.load_id,)

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Every Parquet file that belongs to it."""
        tables = (*self.tables, *(self.snapshot.load_log if self.snapshot else ()))
        return tuple(entry for table in tables for entry in table.files)

    @property
    def rows(self) -> int:
        """Rows over all tables, without tombstones."""
        return sum(table.rows for table in self.tables)

    def only(self, table: TableManifest) -> "LoadManifest":
        """The same load reduced to one table."""
        return replace(self, tables=(table,))


_ADAPTER = TypeAdapter(LoadManifest)


def to_json(manifest: LoadManifest, *, indented: bool = True) -> bytes:
    """The manifest as JSON; instants are ISO 8601."""
    document = asdict(manifest)
    # Files outlive code: on the disk a snapshot is a `fold`, and its load log `books`.
    snapshot = document.pop("snapshot")
    document["fold"] = snapshot and {"load_ids": snapshot["load_ids"], "books": snapshot["load_log"]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indented else None)


def from_json(data: bytes, where: str) -> LoadManifest:
    """Read a manifest back.

    Args:
        data: The JSON.
        where: Its place, for the error.

    Raises:
        LakeCorruptionError: It is not a manifest, or of a later format than this version reads.
    """
    try:
        document: Any = orjson.loads(data)
        version = document["format"] if isinstance(document, dict) else None
        if version not in _READABLE:
            raise LakeCorruptionError(
                f"The manifest {where} has format {version}; this version reads up to {FORMAT}.",
                remedy="Use the version of ion-pipeline that wrote it, or a later one.",
            )
        if fold := document.pop("fold", None):
            document["snapshot"] = {"load_ids": fold["load_ids"], "load_log": fold["books"]}
        return _ADAPTER.validate_python(document)
    except (ValueError, KeyError, ValidationError) as error:
        raise LakeCorruptionError(
            f"The manifest {where} is not readable ({str(error).splitlines()[0]}).",
            remedy="Restore it from a backup; until then this load cannot be applied.",
        ) from error


def check_reads(
    load_id: str, reads: Mapping[str, TableRead], *, written: Collection[str], tombstones: Mapping[str, int]
) -> None:
    """Refuse to commit what the reads do not explain.

    Args:
        load_id: The load.
        reads: Every table that was read, and how.
        written: Tables with rows or tombstones.
        tombstones: How many of each table.

    Raises:
        FileWriteError: A table was written but not read, or a full read has tombstones.
    """
    unexplained = sorted(set(written) - set(reads))
    if unexplained:
        raise FileWriteError(
            f"Load {load_id} has rows of {', '.join(unexplained)} but not how they were read.",
            remedy="Name every table that was written in the commit.",
        )
    contradictory = [name for name, read in reads.items() if read.strategy == "full" and tombstones.get(name)]
    if contradictory:
        raise FileWriteError(
            f"Load {load_id} has tombstones in full reads: {', '.join(contradictory)}.",
            remedy="In a full read what is absent was deleted; tombstones belong in incremental ones.",
        )
