"""What the models were last built from, noted in the warehouse itself.

The note stands beside the tables it is about: a warehouse that is restored, moved or deleted takes it along, and a
rebuild of `raw` drops it, after which everything is built.
"""
# ruff: noqa: S608 -- our own names; values are bound as parameters

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.tables import RAW

_NOTE = f"{RAW}._ion_build"
BOOKS = ("_ion_loads", "_ion_load_tables", "_ion_schema_drift")


@dataclass(frozen=True, slots=True)
class Built:
    """What a build of all models covers.

    Attributes:
        models: Digest of the models and of the raw tables' shape.
        load_id: The last load that was there when the build began.
        loaded_at: When that load was applied; another instant means that `raw` was made anew.
    """

    models: str
    load_id: str
    loaded_at: datetime


def begin_build(connection: duckdb.DuckDBPyConnection, models: str) -> Built | None:
    """What a build that begins now will cover; None without a load, as nothing can be said about that.

    A note of other models is torn up: from now on some tables may be of these models, and some of those.
    """
    if not _exists(connection, "_ion_loads"):
        return None
    if _exists(connection, "_ion_build"):
        connection.execute(f"delete from {_NOTE} where models <> $models", {"models": models})
    last = connection.execute(
        f"select load_id, loaded_at from {RAW}._ion_loads order by load_id desc limit 1"
    ).fetchone()
    return Built(models, *last) if last else None


def note_build(connection: duckdb.DuckDBPyConnection, built: Built) -> None:
    """Note that all models stand as of that load: after a build that went well, and not before."""
    with transaction(connection):
        connection.execute(f"drop table if exists {_NOTE}")
        connection.execute(f"create table {_NOTE} (models varchar, load_id varchar, loaded_at timestamptz)")
        connection.execute(f"insert into {_NOTE} values (?, ?, ?)", [built.models, built.load_id, built.loaded_at])


def changed_since_build(connection: duckdb.DuckDBPyConnection, models: str) -> frozenset[str] | None:
    """Tables of `raw` that changed since all models were built, the loader's own among them; None if that is unknown.

    Unknown means that no build of these models is noted, or that the load it was of is not, or not any more, the one
    that the warehouse holds.
    """
    noted = built_load(connection, models)
    if noted is None:
        return None
    later = {"load_id": noted}
    if connection.execute(f"select 1 from {RAW}._ion_loads where load_id > $load_id", later).fetchone() is None:
        return frozenset()
    changed = connection.execute(
        f"select distinct table_name from {RAW}._ion_load_tables "
        "where load_id > $load_id and rows_inserted + rows_updated + rows_deleted is distinct from 0",
        later,
    ).fetchall()
    return frozenset({*BOOKS, *(name for (name,) in changed)})


def built_load(connection: duckdb.DuckDBPyConnection, models: str) -> str | None:
    """The load as of which all of these models are noted to stand; None where that is unknown, see above."""
    if not _exists(connection, "_ion_build"):
        return None
    noted = connection.execute(
        f"select note.load_id from {_NOTE} as note inner join {RAW}._ion_loads as loads "
        "on note.load_id = loads.load_id and note.loaded_at = loads.loaded_at where note.models = $models",
        {"models": models},
    ).fetchone()
    return noted[0] if noted else None


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where database_name = current_database() "
            "and schema_name = $schema and table_name = $table",
            {"schema": RAW, "table": table},
        ).fetchall()
    )
