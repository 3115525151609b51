"""Apache Superset on the published file: a database, a dataset and a chart, made and read through its own API.

Superset needs an environment of its own (it wants an older SQLAlchemy), so this runs only where there is one:

    python -m venv superset
    superset/bin/pip install apache-superset==6.1.0 rich cachetools flask-caching==2.3.1
    superset/bin/pip install duckdb-engine==0.17.0 duckdb==2.0.0
    ION_TEST_SUPERSET=superset pytest tests/integration/test_superset.py
"""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from tests.integration.conftest import Built

ENVIRONMENT = os.environ.get("ION_TEST_SUPERSET")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ENVIRONMENT, reason="ION_TEST_SUPERSET does not name an environment with Superset"),
]
PASSWORD = secrets.token_urlsafe(12)


def command(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset.app:create_app()",
    }
    return [str(Path(str(ENVIRONMENT)).absolute() / "bin" / "superset"), *arguments], environment


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that is logged in."""
    folder = tmp_path_factory.mktemp("superset")
    (folder / "superset_config.py").write_text(
        f"SECRET_KEY = {secrets.token_urlsafe(32)!r}\n"
        f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\n"
        "WTF_CSRF_ENABLED = False\nTALISMAN_ENABLED = False\n"
    )
    admin = ["--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "a@example.com"]
    for step in (["db", "upgrade"], ["fab", "create-admin", *admin, "--password", PASSWORD], ["init"]):
        arguments, environment = command(folder, *step)
        subprocess.run(arguments, env=environment, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments, environment = command(folder, "run", "--host", "127.0.0.1", "--port", str(port))
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(arguments, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                deadline = time.monotonic() + 180
                while True:
                    with contextlib.suppress(httpx.TransportError):
                        client.get("/health").raise_for_status()
                        break
                    assert server.poll() is None, (folder / "server.log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.5)
                login = {"username": "admin", "password": PASSWORD, "provider": "db", "refresh": False}
                token = client.post("/api/v1/security/login", json=login).raise_for_status().json()["access_token"]
                client.headers["authorization"] = f"Bearer {token}"
                yield client
        finally:
            server.terminate()


def made(answer: httpx.Response) -> int:
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def test_a_dataset_and_a_chart(superset: httpx.Client, demo_warehouse: Built) -> None:
    database = made(
        superset.post(
            "/api/v1/database/",
            json={
                "database_name": "ION",
                "sqlalchemy_uri": f"duckdb:///{demo_warehouse.published}?access_mode=read_only",
                "expose_in_sqllab": True,
            },
        )
    )
    dataset = made(
        superset.post(
            "/api/v1/dataset/",
            json={"database": database, "schema": "reference", "table_name": "part_inventories"},
        )
    )
    columns = superset.get(f"/api/v1/dataset/{dataset}").raise_for_status().json()["result"]["columns"]
    assert {"part_number", "serial_number", "quantity"} <= {column["column_name"] for column in columns}

    query: dict[str, Any] = {
        "columns": ["part_number"],
        "metrics": [{"label": "units", "expressionType": "SQL", "sqlExpression": "count(*)"}],
        "orderby": [["units", False]],
        "row_limit": 5,
    }
    chart = made(
        superset.post(
            "/api/v1/chart/",
            json={
                "slice_name": "Units by part",
                "viz_type": "table",
                "datasource_id": dataset,
                "datasource_type": "table",
                "params": orjson.dumps({"viz_type": "table", "groupby": ["part_number"], "row_limit": 5}).decode(),
                "query_context": orjson.dumps(
                    {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "result_format": "json"}
                ).decode(),
            },
        )
    )
    [result] = superset.get(f"/api/v1/chart/{chart}/data/").raise_for_status().json()["result"]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        counts = dict(
            connection.execute("select part_number, count(*) from reference.part_inventories group by all").fetchall()
        )
    shown = {row["part_number"]: row["units"] for row in result["data"]}
    assert len(shown) == 5
    assert shown.items() <= counts.items()
    assert sorted(shown.values()) == sorted(counts.values())[-5:]
