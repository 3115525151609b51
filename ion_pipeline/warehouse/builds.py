"""The build record: from which load and by which models all models were last built, and with which results.

The record is in the same file as the tables that it describes, so it is restored, moved and deleted with them. A
rebuild of `raw` drops it; the next build then builds everything.
"""
# ruff: noqa: S608 -- our own names; values are bound as parameters

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.fingerprints import Fingerprint
from ion_pipeline.warehouse.schemas import RAW

_TABLE = "_ion_build"
_RECORD = f"{RAW}.{_TABLE}"
_RESULTS_TABLE = "_ion_build_results"
_RESULTS = f"{RAW}.{_RESULTS_TABLE}"
_RESULTS_COLUMNS = {
    "node": "varchar",
    "status": "varchar",
    "row_count": "bigint",
    "hash_sum": "varchar",
    "seconds": "double",
    "built_at": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """What a build of all models covers.

    Attributes:
        models: Digest of the models and of the columns of the raw tables.
        load_id: The last load that had been applied when the build began.
        loaded_at: When that load was applied; a different instant means that `raw` was rebuilt since.
    """

    models: str
    load_id: str
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class BuiltNode:
    """The result of one node when all models were last built.

    Attributes:
        status: dbt's status, such as `success`, `pass` or `warn`.
        fingerprint: Of the rows of a model that is a table; None for a view and a test.
        seconds: Execution time; None if another engine or dbt executed it.
        built_at: When a model was last built from all rows; None if that is not known.
    """

    status: str
    fingerprint: Fingerprint | None = None
    seconds: float | None = None
    built_at: datetime | None = None


def begin_build(connection: duckdb.DuckDBPyConnection, models: str) -> BuildRecord | None:
    """Return what a build that begins now covers; None if no load has been applied.

    A build record of a different model digest is deleted: while this build runs, the tables come from both sets of
    models.
    """
    last = load_log.last(connection)
    if last is None:
        return None
    if load_log.exists(connection, _TABLE):
        connection.execute(f"delete from {_RECORD} where models <> $models", {"models": models})
    return BuildRecord(models, last.load_id, last.loaded_at)


def record_build(
    connection: duckdb.DuckDBPyConnection, built: BuildRecord, results: Mapping[str, BuiltNode] | None = None
) -> None:
    """Record that all models are built as of a load. Call it only after the build has succeeded.

    Args:
        connection: The warehouse.
        built: What the build covers.
        results: The results of the nodes of which they are known, by dbt's unique id.
    """
    found = results or {}
    rows = {
        "node": list(found),
        "status": [result.status for result in found.values()],
        "row_count": [result.fingerprint and result.fingerprint.rows for result in found.values()],
        "hash_sum": [result.fingerprint and str(result.fingerprint.hash_sum) for result in found.values()],
        "seconds": [result.seconds for result in found.values()],
        "built_at": [result.built_at for result in found.values()],
    }
    columns = ", ".join(f"unnest(${name}::{type_}[]) as {name}" for name, type_ in _RESULTS_COLUMNS.items())
    with transaction(connection):
        connection.execute(f"drop table if exists {_RECORD}")
        connection.execute(f"create table {_RECORD} (models varchar, load_id varchar, loaded_at timestamptz)")
        connection.execute(f"insert into {_RECORD} values (?, ?, ?)", [built.models, built.load_id, built.loaded_at])
        connection.execute(f"drop table if exists {_RESULTS}")
        # Bound values: `from_arrow` imports pandas where it is installed, which takes half a second.
        connection.execute(f"create table {_RESULTS} as select {columns}", rows)


def built_nodes(connection: duckdb.DuckDBPyConnection) -> dict[str, BuiltNode]:
    """The results of the last build of all models, by dbt's unique id; empty if they are not known.

    They are those of the build that `built_load` names.
    """
    if not load_log.exists(connection, _RESULTS_TABLE):
        return {}
    found = connection.execute(f"select * from {_RESULTS}").fetchall()
    return {
        node: BuiltNode(status, None if rows is None else Fingerprint(rows, int(hash_sum)), seconds, built_at)
        for node, status, rows, hash_sum, seconds, built_at in found
    }


def changed_since_build(connection: duckdb.DuckDBPyConnection, models: str) -> frozenset[str] | None:
    """Tables of `raw` that changed since all models were last built, tables of the load log included; None if unknown.

    It is unknown if no build of these models is recorded, if the warehouse does not hold the load that the record
    names, or if that load was applied at a different time.
    """
    built = built_load(connection, models)
    if built is None:
        return None
    if not load_log.is_behind(connection, built):
        return frozenset()
    return frozenset({*load_log.TABLES, *load_log.changed_since(connection, built)})


def first_versions_after(connection: duckdb.DuckDBPyConnection, load_id: str) -> datetime | None:
    """Start of the row versions of the first load after a load; None if there is no later load."""
    sql = f"select min(valid_from) from {RAW}.{load_log.LOADS} where load_id > ?"
    found: datetime | None = connection.execute(sql, [load_id]).fetchall()[0][0]
    return found


def built_load(connection: duckdb.DuckDBPyConnection, models: str) -> str | None:
    """The load as of which all of these models are built; None if that is unknown, see `changed_since_build`."""
    if not load_log.exists(connection, _TABLE):
        return None
    found = connection.execute(
        f"select built.load_id from {_RECORD} as built inner join {RAW}.{load_log.LOADS} as loads "
        "on built.load_id = loads.load_id and built.loaded_at = loads.loaded_at where built.models = $models",
        {"models": models},
    ).fetchone()
    return found[0] if found else None
