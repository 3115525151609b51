"""No key, token, password or signed link of any kind is left anywhere by refreshes that go well and that fail.

A refresh runs through Dagster in processes of its own, with every log at its most talkative, then a full read, a
report, a publish to a database that refuses, and the receiver of webhooks; after that every byte that was written or
printed is searched.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from ion_pipeline.sandbox.process import running_sandbox
from tests.integration.conftest import MEMORY, Built, move_tenant
from tests.integration.support.changing_world import update
from tests.integration.support.webhooks import running as receiving

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

SMTP_PASSWORD = "smtp-pass-7731"
NOTIFY_URL = "http://127.0.0.1:9/services/T0/chat-secret-7731"
WEBHOOK_SECRET = "webhook-secret-7731"
PG_PASSWORD = "pg-pass-7731"
STORE_SECRET = "object-store-secret-7731"
NEW_NAME = "supplier-renamed-7731"
JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
# What a signed link of the sandbox's files would have in it.
SIGNED = (
    b"x-amz-signature",
    *(start + name + b"=" for start in (b"?", b"&") for name in (b"signature", b"sig", b"token")),
)


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ion_pipeline.cli", *command],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("ION_")},
            "DAGSTER_HOME": str(folder / "dagster"),
            "ION_ENVIRONMENT": "custom",
            "ION_DATA_DIR": str(folder / "data"),
            "ION_LOG_LEVEL": "debug",
            # As when it was built: dbt parses everything anew when this has changed.
            "ION_DUCKDB_MEMORY_LIMIT": MEMORY,
            "ION_SMTP_PASSWORD": SMTP_PASSWORD,
            "ION_NOTIFY_URL": NOTIFY_URL,
            "ION_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "PGPASSWORD": PG_PASSWORD,
            "AWS_SECRET_ACCESS_KEY": STORE_SECRET,
            "DBT_LOG_LEVEL_FILE": "debug",
            **environment,
        },
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=400,
    )


def written(folder: Path) -> dict[str, bytes]:
    """Every file's bytes; of Parquet and DuckDB files, which are compressed, the values too."""
    found, seen = {}, set[int]()
    for path in folder.rglob("*"):
        # One file may have several names: those of a publish and the ones that readers open.
        if path.is_file() and path.stat().st_ino not in seen:
            seen.add(path.stat().st_ino)
            values = {".parquet": parquet_values, ".duckdb": duckdb_values}.get(path.suffix, lambda _: b"")
            found[str(path.relative_to(folder))] = path.read_bytes() + values(path)
    return found


def parquet_values(path: Path) -> bytes:
    return repr(pq.read_table(path).to_pylist()).encode()


def duckdb_values(path: Path) -> bytes:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        rows = [connection.execute(f'from "{schema}"."{table}"').fetchall() for schema, table in tables]
    return repr(rows).encode()


def test_nothing_secret_is_left_behind(tmp_path: Path, demo_warehouse: Built) -> None:
    with duckdb.connect(str(demo_warehouse.warehouse), read_only=True) as connection:
        [(supplier,)] = connection.execute("select min(id) from raw.suppliers").fetchall()
    data_dir = shutil.copytree(demo_warehouse.data_dir, tmp_path / "data", symlinks=True)
    with running_sandbox(world=demo_warehouse.world) as sandbox:
        move_tenant(data_dir, sandbox)
        where = {"ION_API_URL": sandbox.api_url, "ION_AUTH_URL": sandbox.auth_url}
        key = {"ION_CLIENT_ID": sandbox.client_id, "ION_CLIENT_SECRET": sandbox.client_secret}
        change = update("suppliers", supplier, touch=True, name=NEW_NAME)
        httpx.post(f"{sandbox.api_url}/_sandbox/changes", json=[change]).raise_for_status()
        good = run(tmp_path, "refresh", **where, **key)
        assert good.returncode == 0, good.stderr.decode()
        full = run(tmp_path, "extract", "--full", **where, **key)
        assert full.returncode == 0, full.stderr.decode()
        wrong = run(tmp_path, "refresh", **where, **{**key, "ION_CLIENT_SECRET": "wrong-secret-7731"})
        answer = httpx.post(
            f"{sandbox.auth_url}/realms/api-keys/protocol/openid-connect/token",
            data={
                "grant_type": "client_credentials",
                "client_id": sandbox.client_id,
                "client_secret": sandbox.client_secret,
            },
        )
        token = answer.json()["access_token"]
        by_token = run(tmp_path, "extract", **where, ION_TOKEN=token)
        assert by_token.returncode == 0, by_token.stderr.decode()
        files = run(tmp_path, "attachments", "fetch", "--all", "--json", **where, **key)
        assert files.returncode == 0, files.stderr.decode()
        assert b'"fetched": 0' not in files.stdout
    unreachable = run(tmp_path, "extract", **where, **key, ION_MAX_ATTEMPTS="2")
    assert (wrong.returncode, unreachable.returncode) == (1, 1)
    report = run(tmp_path, "report", **where, **key)
    assert report.returncode == 0, report.stderr.decode()
    refused = run(tmp_path, "publish", "--to", "postgresql://somebody@127.0.0.1:1/none", **where, **key)
    assert refused.returncode == 1
    assert b"reports an error" in refused.stderr
    with receiving(tmp_path / "data", ION_WEBHOOK_SECRET=WEBHOOK_SECRET, ION_LOG_LEVEL="debug") as receiver:
        assert receiver.deliver("e1", signature="0" * 64).status_code == 401
        assert receiver.deliver("e2", secret=WEBHOOK_SECRET).status_code == 200
        receiver.process.send_signal(signal.SIGINT)
        received = "".join(receiver.process.communicate(timeout=30)).encode()

    found = written(tmp_path)
    kinds = {Path(name).suffix for name in found}
    assert {".parquet", ".duckdb", ".json", ".log", ".db", ".sqlite", ".html"} <= kinds, (
        "something that could hold a secret is not there"
    )
    # The new name is there only if the refresh has come as far.
    for place, value in (
        ("data/lake/parts/*", b"PLT-TOP"),
        ("data/lake/suppliers/*", NEW_NAME.encode()),
        ("data/warehouse.duckdb", NEW_NAME.encode()),
        ("data/published/*ion.duckdb", NEW_NAME.encode()),
        ("data/attachments/.ion-attachments/*", b"sha256"),
    ):
        seen = [name for name, content in found.items() if fnmatch(name, place) and value in content]
        assert seen, f"what is in {place} was not searched"
    for number, done in enumerate((good, full, wrong, by_token, unreachable, report, refused, files)):
        found[f"what run {number} printed"] = done.stdout + done.stderr
    found["what the receiver printed"] = received
    assert b"signature refused" in received
    secrets = [sandbox.client_secret, "wrong-secret-7731", token, SMTP_PASSWORD, "chat-secret-7731", WEBHOOK_SECRET]
    secrets += [PG_PASSWORD, STORE_SECRET]
    for name, content in found.items():
        for number, secret in enumerate(secrets):
            assert secret.encode() not in content, f"secret {number} is in {name}"
        assert not JWT.search(content), f"a token is in {name}"
        # Not one pattern for all: it takes six times as long over what is mostly the files of databases.
        lowered = content.lower()
        assert not any(sign in lowered for sign in SIGNED), f"a signed link is in {name}"
