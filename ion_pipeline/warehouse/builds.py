"""The build record: what the models were last built from, in the warehouse itself.

The record is in the same file as the tables that it describes: a warehouse that is restored, moved or deleted takes it
along. A rebuild of `raw` drops it, after which everything is built.
"""
# ruff: noqa: S608 -- our own names; values are bound as parameters

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.schemas import RAW

_TABLE = "_ion_build"
_RECORD = f"{RAW}.{_TABLE}"


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

    A record of other models is deleted: from now on some tables may be built by these models and some by those.
    """
    last = load_log.last(connection)
    if last is None:
        return None
    if load_log.exists(connection, _TABLE):
        connection.execute(f"delete from {_RECORD} where models <> $models", {"models": models})
    return Built(models, last.load_id, last.loaded_at)


def note_build(connection: duckdb.DuckDBPyConnection, built: Built) -> None:
    """Record that all models are built as of that load: after a build that succeeded, and not before."""
    with transaction(connection):
        connection.execute(f"drop table if exists {_RECORD}")
        connection.execute(f"create table {_RECORD} (models varchar, load_id varchar, loaded_at timestamptz)")
        connection.execute(f"insert into {_RECORD} values (?, ?, ?)", [built.models, built.load_id, built.loaded_at])


def changed_since_build(connection: duckdb.DuckDBPyConnection, models: str) -> frozenset[str] | None:
    """Tables of `raw` that changed since all models were built, those of the load log included; None if unknown.

    It is unknown where no build of these models is recorded, or where the warehouse does not hold the load that the
    record names (or holds it as applied at another time).
    """
    built = built_load(connection, models)
    if built is None:
        return None
    if not load_log.is_behind(connection, built):
        return frozenset()
    return frozenset({*load_log.TABLES, *load_log.changed_since(connection, built)})


def built_load(connection: duckdb.DuckDBPyConnection, models: str) -> str | None:
    """The load as of which all of these models are recorded as built; None where that is unknown, see above."""
    if not load_log.exists(connection, _TABLE):
        return None
    found = connection.execute(
        f"select built.load_id from {_RECORD} as built inner join {RAW}.{load_log.LOADS} as loads "
        "on built.load_id = loads.load_id and built.loaded_at = loads.loaded_at where built.models = $models",
        {"models": models},
    ).fetchone()
    return found[0] if found else None
