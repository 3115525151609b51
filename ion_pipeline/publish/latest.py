"""`latest.json`: what the current publish is, for programs that fetch files rather than open a database."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from ion_pipeline.publish.dictionary import TableEntry
from ion_pipeline.publish.swap import PUBLISHES, Publish
from ion_pipeline.warehouse import load_log

# What a publish says about rows under export control unless they were left out of it.
INCLUDED = "included"


def latest_load(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, Any]:
    """The last load that a warehouse has applied: `{load_id, read_at}`; both null where it has no load log.

    Args:
        connection: Where the warehouse is attached.
        catalog: Under which name.
    """
    last = load_log.last(connection, catalog=catalog)
    return {"load_id": last.load_id if last else None, "read_at": last.started_at if last else None}


def export_control_of(document: bytes) -> str:
    """What a publish's document says about rows under export control."""
    said: str = orjson.loads(document).get("export_controlled", INCLUDED)
    return said


def to_json(
    publish: Publish,
    publish_id: str,
    published_at: datetime,
    load: dict[str, Any],
    tables: Sequence[TableEntry],
    *,
    export_controlled: str = INCLUDED,
) -> bytes:
    """The document: `{publish_id, published_at, load_id, read_at, …, database: {…}, tables: [{schema, table, …}]}`.

    Each file has a path relative to the document, its bytes and its SHA-256. `export_controlled` says whether rows
    under export control are in it.
    """
    document = {
        "publish_id": publish_id,
        "published_at": published_at,
        **load,
        "export_controlled": export_controlled,
        "database": _file(publish, publish_id, publish.database),
        "tables": [
            {
                "schema": table.schema,
                "table": table.table,
                "rows": table.rows,
                **_file(publish, publish_id, publish.parquet / table.schema / f"{table.table}.parquet"),
            }
            for table in tables
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _file(publish: Publish, publish_id: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    relative = path.relative_to(publish.folder).as_posix()
    return {"file": f"{PUBLISHES}/{publish_id}/{relative}", "bytes": path.stat().st_size, "sha256": digest}
