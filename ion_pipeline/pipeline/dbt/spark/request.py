"""What the child process is asked: where the rows are, and which loads they belong to. Written as one JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from ion_pipeline.catalog import Table
from ion_pipeline.lake import LAKE_COLUMNS, Lake, LoadManifest, TableManifest
from ion_pipeline.lake.snapshot import VERSION_COLUMNS
from ion_pipeline.pipeline.dbt.spark.versions import LoadRow, TableLoad, load_rows

#: What the name of a build's folder begins with.
FOLDER = "build-"
#: Begins the line of the child process that says why there is no session, or no `raw`.
NO_SESSION, NO_ROWS = "Spark cannot be reached:", "Spark cannot derive the rows of the lake:"
_TYPES = {
    pa.string(): "string",
    pa.int64(): "bigint",
    pa.int32(): "int",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Parquet files with the same columns.

    Attributes:
        paths: Their places, as Spark reads them.
        columns: Names and Spark's types.
    """

    paths: list[str]
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of `raw`, and the files of the lake that its row versions are derived from.

    Attributes:
        name: The table.
        columns: Names and Spark's types of its columns.
        key: The columns that identify a row.
        owner: The column that tombstones name, if a load is by owner.
        loads: The rows of the relation `loads` of `versions.versions_sql`.
        incoming: The files of the loads.
        kept: The files of the snapshot before them.
    """

    name: str
    columns: dict[str, str]
    key: list[str]
    owner: str
    loads: list[LoadRow]
    incoming: list[Files]
    kept: list[Files]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table that is used as it is.

    Attributes:
        folder: The folder of its Parquet files; empty if it has no rows.
        columns: Names and Spark's types.
    """

    folder: str
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """The work of one child process.

    Attributes:
        remote: URL of a Spark Connect server; empty for a session in the process.
        folder: Path or URI of the folder of this build; Spark's tables are in `<folder>/<schema>/<table>`.
        memory: Heap of a session in the process in whole megabytes, as Java spells them: `1536m`.
        threads: Threads of a session in the process.
        schemas: The schemas that the build fills.
        tables: The tables of `raw` and `raw_history`.
        relations: Tables that are used as they are, by `schema.table`.
        views: Queries of views of the derived tables, by `schema.view`.
        counts: How many rows the tables and views that are derived must have, by `schema.table`.
    """

    remote: str
    folder: str
    memory: str
    threads: int
    schemas: list[str]
    tables: list[LakeTable]
    relations: dict[str, Relation] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def spark_type(arrow_type: pa.DataType) -> str:
    """Spark's name of a type of the lake. Raises KeyError for a type that the catalog does not have."""
    if pa.types.is_list(arrow_type):
        return f"array<{spark_type(arrow_type.value_type)}>"
    return _TYPES[arrow_type]


def spark_path(location: str) -> str:
    """A path or URI as Spark's file systems spell it: S3 is `s3a` there."""
    return f"s3a://{location.removeprefix('s3://')}" if location.startswith("s3://") else location


def lake_tables(lake: Lake, catalog: Mapping[str, Table], starts: Mapping[str, datetime]) -> list[LakeTable]:
    """Every table of the catalog with the applied loads that it is in; call it within `lake.reading()`.

    Args:
        lake: The lake.
        catalog: The tables by name.
        starts: The `valid_from` of each load that the warehouse has applied: no other load is read, so that both
            engines build as of the same load.

    Raises:
        LakeCorruptionError: A manifest is not readable.
    """
    manifests = [manifest for manifest in lake.loads() if manifest.load_id in starts]
    snapshot = manifests[0] if manifests and manifests[0].snapshot else None
    loads = [(load, starts[load.load_id]) for load in (manifests[1:] if snapshot else manifests)]
    return [_lake_table(lake, table, snapshot, loads) for table in catalog.values()]


def _lake_table(
    lake: Lake, table: Table, snapshot: LoadManifest | None, loads: Sequence[tuple[LoadManifest, datetime]]
) -> LakeTable:
    read = [
        (TableLoad(number, load.load_id, begin, one.read.strategy == "full", one.read.by_owner), one)
        for number, (load, begin) in enumerate(loads, start=1)
        for one in load.tables
        if one.table == table.name
    ]
    kept = [one for one in snapshot.tables if one.table == table.name] if snapshot else []
    owners = {one.read.replaced_by or table.key[0] for _, one in read if one.read.by_owner}
    return LakeTable(
        name=table.name,
        columns={column.name: spark_type(column.arrow_type) for column in table.columns},
        key=list(table.key),
        owner=owners.pop() if owners else "",
        loads=load_rows([load for load, _ in read], snapshot.load_id if snapshot else ""),
        incoming=_by_columns(lake, table, [one for _, one in read], LAKE_COLUMNS),
        kept=_by_columns(lake, table, kept, VERSION_COLUMNS),
    )


def _by_columns(lake: Lake, table: Table, manifests: Sequence[TableManifest], added: pa.Schema) -> list[Files]:
    """The files of some loads of a table; loads whose files have the same columns are together."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    wanted = {column.name for column in table.columns} | set(added.names)
    for manifest in manifests:
        if manifest.rows + manifest.tombstones:
            schema = lake.schema_of(manifest.files[0])
            columns = tuple((one.name, spark_type(one.type)) for one in schema if one.name in wanted)
            paths = [spark_path(f"{lake.location}/{entry.path}") for entry in manifest.files]
            found.setdefault(columns, []).extend(paths)
    return [Files(paths, dict(columns)) for columns, paths in found.items()]
