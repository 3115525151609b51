"""The child process that has the Spark session: `python -m … REQUEST RESULTS ALIVE ARGUMENTS…`.

It derives `raw` and `raw_history` from the files of the lake, then runs dbt with the same session. RESULTS, ALIVE and
ARGUMENTS are those of `pipeline.dbt.child`. The Java process ends when this one does.
"""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter

from ion_pipeline.pipeline.dbt.child import end_with_parent, run_dbt
from ion_pipeline.pipeline.dbt.spark.request import FOLDER, NO_ROWS, NO_SESSION, Files, LakeTable, Request
from ion_pipeline.pipeline.dbt.spark.session import open_session
from ion_pipeline.pipeline.dbt.spark.versions import LOAD_COLUMNS, first_versions_sql, versions_sql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LAKE = {"_ion_deleted": "boolean", "_ion_load": "string", "_ion_seen_at": "timestamp"}
_KEPT = {"_ion_load": "string", "_ion_seen_at": "timestamp", "valid_from": "timestamp", "valid_to": "timestamp"}
# The order in which rows were written: the number of the file within the load, then the row in the file.
_PLACE = "cast(regexp_extract(_metadata.file_name, 'part-([0-9]+)', 1) as bigint) * 1000000000000 + _metadata.row_index"
# Number 0 stands for the snapshot, whether there is one or not.
_SNAPSHOT_AND_FIRST = 2
_AT_ONCE = 4
# Spark plans a union branch within branch: hundreds of them could exceed the stack of a thread.
_COUNTED_AT_ONCE = 40


def create_schemas(spark: "SparkSession", request: Request) -> None:
    """Empty schemas whose tables are in the folder of the build; what an earlier build has left is dropped.

    Raises:
        ValueError: A schema of the same name is not of a build: the catalog belongs to others too.
    """
    for schema in request.schemas:
        if spark.catalog.databaseExists(schema):
            place = spark.catalog.getDatabase(schema).locationUri
            if not re.search(rf"/{FOLDER}[^/]+/{schema}/?$", place):
                raise ValueError(f"its catalog has a schema {schema} at {place}, which no build has made.")
    for schema in request.schemas:
        spark.sql(f"drop schema if exists `{schema}` cascade")
        spark.sql(f"create schema `{schema}` location '{_text(f'{request.folder}/{schema}')}'")
    for name, relation in request.relations.items():
        schema, table = name.split(".")
        place = f" location '{_text(relation.folder)}'" if relation.folder else ""
        spark.sql(f"create table `{schema}`.`{table}` ({_definitions(relation.columns)}) using parquet{place}")


def derive_all(spark: "SparkSession", tables: list[LakeTable]) -> None:
    """Create `raw` and `raw_history`; several tables at a time, because small ones leave a cluster idle."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(partial(derive, spark), tables), start=1):
            if done % 25 == 0 or done == len(tables):
                print(f"{done} of {len(tables)} tables derived from the lake", flush=True)  # noqa: T201


def derive(spark: "SparkSession", table: LakeTable) -> None:
    """Create `raw_history.<table>`, and the view `raw.<table>` of its current rows."""
    history, own = f"raw_history.`{table.name}`", ", ".join(f"`{name}`" for name in table.columns)
    if not table.incoming and not table.kept:
        columns = table.columns | _KEPT | {"is_current": "boolean"}
        spark.sql(f"create table {history} ({_definitions(columns)}) using parquet")
    else:
        views = {name: f"`{table.name}_{name}`" for name in ("loads", "incoming", "kept")}
        relations = (
            _loads(spark, table),
            _rows(spark, table.incoming, table.columns, _LAKE, place=_PLACE),
            _rows(spark, table.kept, table.columns, _KEPT),
        )
        for name, relation in zip(views.values(), relations, strict=True):
            relation.createOrReplaceTempView(name.strip("`"))
        ctes = ", ".join(f"{name} as (select * from {view})" for name, view in views.items())  # noqa: S608 -- our own names
        is_first = len(table.loads) == _SNAPSHOT_AND_FIRST and not table.owner and not table.kept
        versions = first_versions_sql(table.key) if is_first else versions_sql(table.key, owner=table.owner)
        query = f"with {ctes} select row_values.*, * except (row_values) from ({versions})"  # noqa: S608 -- as above
        spark.sql(f"create table {history} using parquet as {query}")
        for view in views.values():
            spark.catalog.dropTempView(view.strip("`"))
    spark.sql(
        f"create view raw.`{table.name}` as select {own}, _ion_load, _ion_seen_at from {history} where is_current"  # noqa: S608 -- names of the catalog, quoted
    )


def create_views(spark: "SparkSession", views: dict[str, str]) -> None:
    """Create views of the derived tables."""
    for name, query in views.items():
        spark.sql(f"create view {name} as {query}")


def check_counts(spark: "SparkSession", counts: dict[str, int]) -> None:
    """Compare the numbers of rows with those of the warehouse, to which the same loads were applied.

    If the machines of a cluster do not see one folder, each reads and writes its own, and Spark reports nothing.

    Raises:
        ValueError: They differ.
    """
    names, found = sorted({name.split(".")[1] for name in counts}), dict[str, int]()
    for start in range(0, len(names), _COUNTED_AT_ONCE):
        some = names[start : start + _COUNTED_AT_ONCE]
        # One scan of a table for both: `raw` is a view of its current rows.
        rows = " union all ".join(f"select '{name}' as name, is_current from raw_history.`{name}`" for name in some)  # noqa: S608 -- the catalog's names
        query = f"select name, count(*) as every, count_if(is_current) as current from ({rows}) group by name"  # noqa: S608 -- as above
        for row in spark.sql(query).collect():
            found |= {f"raw_history.{row['name']}": row["every"], f"raw.{row['name']}": row["current"]}
    if wrong := sorted(name for name, number in counts.items() if found.get(name, 0) != number):
        first = wrong[0]
        raise ValueError(
            f"{len(wrong)} of {len(counts)} tables have other rows than the warehouse; {first} has "
            f"{found.get(first, 0)}, not {counts[first]}."
        )


def _loads(spark: "SparkSession", table: LakeTable) -> "DataFrame":
    """The relation `loads`, from one text: a frame made of Python objects starts processes to unpack them."""
    rows = [dict(zip(LOAD_COLUMNS, row, strict=True)) for row in table.loads]
    kinds = ", ".join(f"{name}: {kind}" for name, kind in LOAD_COLUMNS.items())
    return spark.sql(
        f"select inline(from_json(:rows, 'array<struct<{kinds}>>'))",
        args={"rows": orjson.dumps(rows).decode()},
    )


def _rows(
    spark: "SparkSession", groups: list[Files], columns: dict[str, str], added: dict[str, str], *, place: str = ""
) -> "DataFrame":
    """The rows of files, each as a struct of the catalog's columns; a column that a file lacks is null there."""
    extra = [f"{place} as place"] if place else []
    found = []
    for files in groups:
        values = ", ".join(
            f"cast({f'`{name}`' if name in files.columns else 'null'} as {kind}) as `{name}`"
            for name, kind in columns.items()
        )
        rows = spark.read.schema(_definitions(files.columns)).parquet(*files.paths)
        found.append(rows.selectExpr(f"struct({values}) as row_values", *added, *extra))
    if not found:
        kinds = ", ".join(f"`{name}`: {kind}" for name, kind in columns.items())
        none = {"row_values": f"struct<{kinds}>"} | added | ({"place": "bigint"} if place else {})
        nulls = ", ".join(f"cast(null as {kind}) as `{name}`" for name, kind in none.items())
        return spark.sql(f"select {nulls} where false")
    first, *others = found
    return reduce(lambda left, right: left.unionAll(right), others, first)


def _definitions(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in columns.items())


def _text(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _fail(beginning: str, error: Exception) -> int:
    """Print the line that the parent reads; return the exit code."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    print(f"{beginning} {reason}", flush=True)  # noqa: T201
    return 2


def main() -> int:
    """Derive the rows, then run dbt; return its exit code."""
    document, results, alive, *arguments = sys.argv[1:]
    end_with_parent(int(alive))
    request = TypeAdapter(Request).validate_json(Path(document).read_bytes())
    try:
        spark = open_session(request)
    except Exception as error:
        return _fail(NO_SESSION, error)
    try:
        try:
            create_schemas(spark, request)
            derive_all(spark, request.tables)
            check_counts(spark, request.counts)
            create_views(spark, request.views)
        except Exception as error:
            return _fail(NO_ROWS, error)
        return run_dbt(results, [*arguments, "--target", "spark"])
    finally:
        spark.stop()


if __name__ == "__main__":
    sys.exit(main())
