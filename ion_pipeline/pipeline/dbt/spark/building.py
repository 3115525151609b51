"""Builds the models on Spark, and imports the public tables into the warehouse in one transaction.

The rest of the pipeline does not know which engine built them: it publishes from the warehouse, as of the same load.
The tables of a build are in a folder of its own, which is deleted when they have been imported, or the build failed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
from pydantic import TypeAdapter
from ulid import ULID

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.files import WriterLock
from ion_pipeline.files.storage import open_storage
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt.process import prepared_manifest, run
from ion_pipeline.pipeline.dbt.project import work_dir
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport
from ion_pipeline.pipeline.dbt.spark.released import released_views
from ion_pipeline.pipeline.dbt.spark.request import (
    FOLDER,
    NO_ROWS,
    NO_SESSION,
    LakeTable,
    Relation,
    Request,
    lake_tables,
    spark_path,
    spark_type,
)
from ion_pipeline.pipeline.export_control import data_references, source_schemas
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish import MissingDriverError
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import CONTROLLED, connect, load_log
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier, literal

_CHILD = ("-m", "ion_pipeline.pipeline.dbt.spark.child")
# What to do about a line of the child process that begins so.
_REMEDIES = {
    NO_SESSION: "Check ION_SPARK_REMOTE; without it, a session on this machine needs Java 17. Nothing was built.",
    NO_ROWS: "Spark must reach the lake and ION_WAREHOUSE_URI where this machine does, and have a catalog for "
    "ion-pipeline alone. Nothing was built.",
}
# The mark that Spark leaves in the folder of a table when all of its rows are there.
_WRITTEN = "_SUCCESS"
# The keys of controlled rows, the load log as the models may read it (views, if controlled rows are left out), and the
# views that give further actions their fixed names.
_NOT_DERIVED = (
    "select table_schema, table_name from information_schema.tables where table_catalog = current_database() "
    "and (table_schema = $controlled or table_schema = $source and starts_with(table_name, '_ion_')) order by all"
)


def check_engine() -> None:
    """Check what a build on Spark needs.

    Raises:
        MissingDriverError: `pyspark` or `dbt-spark` is not installed.
    """
    if find_spec("pyspark") is None or find_spec("dbt.adapters.spark") is None:
        raise MissingDriverError(
            "ION_ENGINE=spark needs pyspark and dbt-spark.",
            remedy="Install them: pip install 'ion-pipeline[spark]'. Nothing was built.",
        )


def build(
    settings: Settings, *, on_line: Callable[[str], None] | None = None, on_count: OnCount = unheard
) -> BuildReport:
    """Build and test all models on Spark, and import the public tables; the loads have been applied.

    Raises:
        MissingDriverError: As `check_engine`.
        LockedError: Another process builds on Spark here.
        BuildError: Spark cannot be reached, or a model or a test failed; the tables of the warehouse are unchanged.
    """
    check_engine()
    manifest = orjson.loads(prepared_manifest(settings).read_bytes())
    with (
        WriterLock(work_dir(settings) / "spark.lock", "building on Spark", wait_seconds=settings.lock_wait_seconds),
        build_folder(settings) as folder,
    ):
        report = run_request(settings, request_of(settings, manifest, folder), on_line=on_line, on_count=on_count)
        with connect(settings.warehouse_path, resources_of(settings)) as connection:
            import_tables(connection, manifest, folder)
    return report


def run_request(
    settings: Settings,
    request: Request,
    *,
    arguments: Sequence[str] = (),
    on_line: Callable[[str], None] | None = None,
    on_count: OnCount = unheard,
) -> BuildReport:
    """Derive the rows and run dbt in a child process; the tables are then in the folder of the request.

    Args:
        settings: The data directory.
        request: What the child process is asked.
        arguments: dbt's arguments after `build`; empty for all models and tests.
        on_line: Called with each line of output.
        on_count: Called when a node begins or ends.

    Raises:
        BuildError: Spark cannot be reached, or a model or a test failed.
    """
    work, lines = work_dir(settings) / "spark", list[str]()
    document = work_dir(settings) / "spark-request.json"
    document.write_bytes(TypeAdapter(Request).dump_json(request))

    def heard(line: str) -> None:
        lines.append(line)
        if on_line:
            on_line(line)

    try:
        return run(
            settings,
            ["build", *arguments],
            on_line=heard,
            on_count=on_count,
            child=(*_CHILD, str(document)),
            variables={"DBT_TARGET_PATH": str(work / "target"), "DBT_LOG_PATH": str(work / "logs")},
        )
    except BuildError as error:
        for beginning, remedy in _REMEDIES.items():
            if reason := next((line for line in lines if line.startswith(beginning)), None):
                raise BuildError(reason, remedy=remedy, report=error.report) from error
        raise


@contextmanager
def build_folder(settings: Settings) -> Iterator[str]:
    """A folder for the tables of one build, deleted afterwards; folders that killed builds left are deleted too."""
    storage = open_storage(settings.warehouse_uri or str(settings.data_dir.absolute() / "spark"))
    for name in storage.names(""):
        # Nothing else: the folder may be anything that a person has set.
        if name.startswith(FOLDER):
            storage.remove(name)
    folder = f"{FOLDER}{ULID()}"
    try:
        yield f"{storage.location}/{folder}"
    finally:
        storage.remove(folder)


def request_of(settings: Settings, manifest: Mapping[str, Any], folder: str) -> Request:
    """What the child process is asked for a build of everything; the inputs that it names are written to the folder."""
    lake = open_lake(settings)
    with lake.reading(), connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        tables = lake_tables(lake, data_catalog(settings.data_dir).tables, load_log.starts(connection))
        relations = _export(connection, folder, source_schemas(settings)["ION_SOURCE_SCHEMA"])
        counts = _counts(connection, tables)
    views = {} if settings.publish_export_controlled else dict(released_views(tables, data_references(settings)))
    schemas = {node["schema"] for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}}
    return Request(
        remote=settings.spark_remote,
        folder=spark_path(folder),
        memory=java_memory(settings.duckdb_memory_limit),
        threads=settings.duckdb_threads,
        schemas=sorted({*schemas, "raw", "raw_history", CONTROLLED, *(name.split(".")[0] for name in views)}),
        tables=tables,
        relations=relations,
        views=views,
        counts=counts,
    )


def java_memory(limit: str) -> str:
    """A limit as DuckDB spells it (`1.5 GiB`) in whole megabytes, as Java spells them (`1536m`).

    Example:
        >>> java_memory("4GB")
        '3814m'
    """
    number, unit = re.findall(r"([\d.]+)\s*([KMGT]i?B)", limit)[0]
    base = 1024 if "i" in unit else 1000
    return f"{int(float(number) * base ** (1 + 'KMGT'.index(unit[0])) / 1024**2)}m"


def _export(connection: duckdb.DuckDBPyConnection, folder: str, source: str) -> dict[str, Relation]:
    """Write what Spark does not derive from the lake as Parquet files next to the tables."""
    storage, found = open_storage(folder), dict[str, Relation]()
    for schema, table in connection.execute(_NOT_DERIVED, {"controlled": CONTROLLED, "source": source}).fetchall():
        rows = connection.sql(f"from {identifier(schema, table)}").to_arrow_table()
        place = f"inputs/{schema}.{table}"
        if rows.num_rows:
            with storage.create(f"{place}/part-0.parquet") as stream:
                pq.write_table(rows, stream)
        columns = {field.name: spark_type(field.type) for field in rows.schema}
        found[f"{schema}.{table}"] = Relation(spark_path(f"{folder}/{place}") if rows.num_rows else "", columns)
    return found


def _counts(connection: duckdb.DuckDBPyConnection, tables: Iterable[LakeTable]) -> dict[str, int]:
    """The numbers of rows that loads have brought to the warehouse, by `schema.table`."""
    names = [(schema, table.name) for table in tables for schema in ("raw", "raw_history")]
    each = (f"select '{schema}.{table}', count(*) from {identifier(schema, table)}" for schema, table in names)  # noqa: S608 -- the catalog's names
    return dict(connection.execute(" union all ".join(each)).fetchall())


def import_tables(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], folder: str) -> None:
    """Replace the public tables of the warehouse by those of a build, with the types and comments of the models.

    Args:
        connection: The warehouse, open for writing.
        manifest: dbt's manifest.
        folder: Path or URI of the folder of the build.

    Raises:
        BuildError: The folder does not have a table: Spark has written it elsewhere.
    """
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public" and node["config"]["contract"]["enforced"]
    ]
    storage = open_storage(folder)
    with storage.scratch() as scratch, transaction(connection):
        for model in models:
            schema, table = model["schema"], model["name"]
            name = identifier(schema, table)
            connection.execute(f"create schema if not exists {identifier(schema)}")
            types = {column["name"]: column["data_type"] for column in model["columns"].values()}
            columns = ", ".join(f"{identifier(column)} {kind}" for column, kind in types.items())
            connection.execute(f"create or replace table {name} ({columns})")
            place = f"{schema}/{table}"
            parts = storage.names(place)
            if _WRITTEN not in parts:
                raise BuildError(
                    f"Spark has not written {schema}.{table} where this machine looks for it: {folder}.",
                    remedy="Set ION_WAREHOUSE_URI to a folder that Spark and this machine see. Nothing was imported.",
                    report=BuildReport((), 0.0),
                )
            files = [storage.fetch(f"{place}/{part}", scratch) for part in parts if _is_part(part)]
            if files:
                connection.execute(
                    f"insert into {name} by name from read_parquet($files, hive_partitioning := false)",
                    {"files": [str(file) for file in files]},
                )
            connection.execute(f"comment on table {name} is {literal(model['description'])}")
            for column in model["columns"].values():
                target = identifier(schema, table, column["name"])
                connection.execute(f"comment on column {target} is {literal(column['description'])}")


def _is_part(name: str) -> bool:
    """Whether a file holds rows: Spark also writes marks and checksums."""
    return name.startswith("part-") and name.endswith(".parquet")
