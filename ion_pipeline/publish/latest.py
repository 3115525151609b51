"""`latest.json`: describes the current publish, for programs that fetch files rather than open a database."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from ion_pipeline.publish.delta import FOLDER, Entry
from ion_pipeline.publish.dictionary import TableEntry
from ion_pipeline.publish.kept import form_of
from ion_pipeline.publish.parquet_files import ParquetFile
from ion_pipeline.publish.swap import LATEST, PARQUET, PUBLISHES, Publish
from ion_pipeline.warehouse import load_log

# The value of `export_controlled` in `latest.json` if rows under export control were not left out.
INCLUDED = "included"
DELTA = FOLDER
# The formats of a publish besides the database file, as in ION_PUBLISH_FORMAT.
FORMATS = (PARQUET, DELTA)


def latest_load(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, Any]:
    """The last load that a warehouse has applied: `{load_id, read_at}`; both None if there is none.

    Args:
        connection: A connection that the warehouse is attached to.
        catalog: The alias that it is attached under.
    """
    last = load_log.last(connection, catalog=catalog)
    return {"load_id": last.load_id if last else None, "read_at": last.started_at if last else None}


def export_control_of(document: bytes) -> str:
    """The value of `export_controlled` in a publish's `latest.json`."""
    value: str = orjson.loads(document).get("export_controlled", INCLUDED)
    return value


def published_formats(published_dir: Path) -> set[str]:
    """The formats of the current publish besides the database file; empty if nothing is published."""
    latest = published_dir / LATEST
    return set(orjson.loads(latest.read_bytes()).get("formats", [PARQUET])) if latest.is_file() else set()


def published_load(published_dir: Path) -> tuple[str, datetime] | None:
    """The last load in the current publish, and when it was published; None if there is no publish or no load."""
    latest = published_dir / LATEST
    found = orjson.loads(latest.read_bytes()) if latest.is_file() else {"load_id": None}
    return (found["load_id"], datetime.fromisoformat(found["published_at"])) if found["load_id"] else None


def to_json(
    publish: Publish,
    publish_id: str,
    published_at: datetime,
    load: dict[str, Any],
    tables: Sequence[TableEntry],
    *,
    made_by: Mapping[str, str],
    files: Mapping[tuple[str, str], Sequence[ParquetFile]],
    states: Mapping[tuple[str, str], Mapping[str, Any]],
    formats: Sequence[str] = (PARQUET,),
    versions: Mapping[tuple[str, str], Entry] | None = None,
) -> bytes:
    """The document: `{publish_id, published_at, load_id, read_at, …, database: {…}, tables: [{schema, table, …}]}`.

    Each file has a path relative to the document, its size in bytes and its SHA-256. A large table has several, in
    `parts`, with the range of values of the first column that each has: `from` is the least, all are less than `to`.

    Args:
        publish: The files.
        publish_id: Id of the publish.
        published_at: When it was published.
        load: From `latest_load`.
        tables: The tables.
        made_by: What the contents depend on except for the rows; `export_controlled` says whether the publish includes
            rows under export control.
        files: The Parquet files of each table.
        states: What to record about a table, so that the next publish finds out whether it changed.
        formats: The formats besides the database file.
        versions: The versions of the Delta tables, by (schema, table).
    """
    document = {
        "publish_id": publish_id,
        "published_at": published_at,
        **load,
        **made_by,
        "formats": sorted(set(formats)),
        "database": _file(publish, publish_id, publish.database),
        "tables": [
            {
                "schema": table.schema,
                "table": table.table,
                "rows": table.rows,
                **_parquet(publish, publish_id, table, files[key], is_written=PARQUET in formats),
                **states.get(key, {}),
                **({"delta": asdict(versions[key])} if versions else {}),
            }
            for table in tables
            for key in [(table.schema, table.table)]
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def with_versions(document: bytes, versions: Mapping[tuple[str, str], Entry]) -> bytes:
    """The document with the versions that the Delta tables have elsewhere."""
    found = orjson.loads(document)
    for table in found["tables"]:
        if "delta" in table:
            table["delta"] = asdict(versions[table["schema"], table["table"]])
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _parquet(
    publish: Publish, publish_id: str, table: TableEntry, files: Sequence[ParquetFile], *, is_written: bool
) -> dict[str, Any]:
    described = [
        {
            **(one.part.to_json() if one.part else {}),
            **(_file(publish, publish_id, publish.parquet / one.path, one.kept) if is_written else {}),
        }
        for one in files
    ]
    return described[0] if len(described) == 1 else {"form": form_of(table), "parts": described}


def _file(publish: Publish, publish_id: str, path: Path, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if known is None:
        with path.open("rb") as stream:
            known = {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
    relative = path.relative_to(publish.folder).as_posix()
    return {"file": f"{PUBLISHES}/{publish_id}/{relative}", "bytes": known["bytes"], "sha256": known["sha256"]}
