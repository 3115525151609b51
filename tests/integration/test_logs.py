"""A refresh whose logs are JSON: a line for each entity, load, build and publish, with the numbers of what it did."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from tests.integration.conftest import MEMORY, Built, continued
from tests.integration.support.changing_world import update

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

DONE = ("entity_read", "ion_read", "load_applied", "models_built", "published")


def run(data_dir: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ion_pipeline.cli", *command],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("ION_", "DAGSTER_"))},
            "ION_ENVIRONMENT": "custom",
            "ION_DATA_DIR": str(data_dir),
            "ION_LOG_FORMAT": "json",
            # As when it was built: dbt parses everything anew when this has changed.
            "ION_DUCKDB_MEMORY_LIMIT": MEMORY,
            **environment,
        },
        cwd=data_dir.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Standard error, every line of it."""
    return [orjson.loads(line) for line in done.stderr.splitlines()]


def without(line: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in {"timestamp", "level", "event", *names}}


def test_a_refresh_says_what_it_did_and_a_failure_why(tmp_path: Path, demo_warehouse: Built) -> None:
    data_dir = tmp_path / "data"
    with duckdb.connect(str(demo_warehouse.warehouse), read_only=True) as connection:
        [(supplier,)] = connection.execute("select min(id) from raw.suppliers").fetchall()
    with continued(demo_warehouse, data_dir) as sandbox:
        tenant = {"ION_API_URL": sandbox.api_url, "ION_AUTH_URL": sandbox.auth_url, "ION_CLIENT_ID": sandbox.client_id}
        change = update("suppliers", supplier, touch=True, name="Changed")
        httpx.post(f"{sandbox.api_url}/_sandbox/changes", json=[change]).raise_for_status()
        done = run(data_dir, "refresh", "--json", **tenant, ION_CLIENT_SECRET=sandbox.client_secret)
        refused = run(data_dir, "extract", **tenant, ION_CLIENT_SECRET="wrong-secret")
    assert done.returncode == 0, done.stderr
    result = orjson.loads(done.stdout)
    by_event: dict[str, list[dict[str, Any]]] = {}
    for line in lines(done):
        by_event.setdefault(line["event"], []).append(line)
    # Between them there may be notes, and requests that were tried again.
    assert {line["level"] for event in DONE for line in by_event[event]} == {"info"}
    load_id = result["load_id"]

    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        own = connection.execute(
            "select entity, strategy, rows_read - rows_deleted, rows_deleted, load_id from raw._ion_load_tables "
            "where load_id = ? and table_name = entity",
            [load_id],
        ).fetchall()
        [counted] = connection.execute(
            "select count(*), sum(rows_read), sum(rows_inserted), sum(rows_updated), sum(rows_deleted) "
            "from raw._ion_load_tables where load_id = ?",
            [load_id],
        ).fetchall()
        [of_load] = connection.execute(
            "select requests, bytes from raw._ion_loads where load_id = ?", [load_id]
        ).fetchall()
    names = ("entity", "mode", "rows", "deleted", "load_id")
    said = [tuple(line[name] for name in names) for line in by_event["entity_read"]]
    assert ("suppliers", "incremental", 1, 0, load_id) in said
    assert sorted(said) == sorted(own)
    assert all(line["requests"] >= 0 and line["seconds"] >= 0 for line in by_event["entity_read"])

    [read] = by_event["ion_read"]
    assert (read["load_id"], read["entities"], read["requests"]) == (load_id, len(own), of_load[0])
    assert (read["rows"], read["bytes"]) == (sum(row[2] for row in own), of_load[1])
    [load] = by_event["load_applied"]
    assert without(load, "seconds") == {
        "load_id": load_id,
        **dict(zip(("tables", "rows", "inserted", "updated", "deleted"), counted, strict=True)),
    }
    [built] = by_event["models_built"]
    assert (built["models"], built["failed"]) == (result["models"], 0)
    assert built["tests"] > 0
    latest = orjson.loads((data_dir / "published" / "latest.json").read_bytes())
    [published] = by_event["published"]
    assert without(published, "seconds") == {
        "version": latest["publish_id"],
        "tables": len(latest["tables"]),
        "rows": sum(table["rows"] for table in latest["tables"]),
        "bytes": latest["database"]["bytes"],
    }

    assert refused.returncode == 1
    [failed] = lines(refused)
    assert (failed["level"], failed["event"], failed["exit_code"]) == ("error", "failed", 1)
    assert "ION_CLIENT_SECRET" in failed["message"] + failed["remedy"]
    assert "wrong-secret" not in refused.stderr
