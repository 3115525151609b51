"""A Superset of its own: an empty database, one user, a server on a free port."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

USER = "admin"
_START_SECONDS = 180


@dataclass(frozen=True)
class Superset:
    """A server that answers, and a client that is logged in."""

    client: httpx.Client
    address: str
    password: str


@contextlib.contextmanager
def running(environment: Path, folder: Path) -> Iterator[Superset]:
    """Start Superset, and end it.

    Args:
        environment: The Python environment that has Superset.
        folder: Where it keeps its database, its settings and its log.
    """
    password = secrets.token_urlsafe(12)
    (folder / "superset_config.py").write_text(
        f"SECRET_KEY = {secrets.token_urlsafe(32)!r}\n"
        f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\n"
        "WTF_CSRF_ENABLED = False\nTALISMAN_ENABLED = False\n"
    )
    variables = {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset.app:create_app()",
    }
    command = str(environment.absolute() / "bin" / "superset")
    user = ["--username", USER, "--firstname", "A", "--lastname", "B", "--email", "a@example.com"]
    for step in (["db", "upgrade"], ["fab", "create-admin", *user, "--password", password], ["init"]):
        subprocess.run([command, *step], env=variables, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [command, "run", "--host", "127.0.0.1", "--port", str(port)], env=variables, stdout=log, stderr=log
        ) as server,
    ):
        try:
            with httpx.Client(base_url=address, timeout=60) as client:
                deadline = time.monotonic() + _START_SECONDS
                while True:
                    with contextlib.suppress(httpx.TransportError):
                        client.get("/health").raise_for_status()
                        break
                    assert server.poll() is None, (folder / "server.log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.5)
                login = {"username": USER, "password": password, "provider": "db", "refresh": False}
                token = client.post("/api/v1/security/login", json=login).raise_for_status().json()["access_token"]
                client.headers["authorization"] = f"Bearer {token}"
                yield Superset(client, address, password)
        finally:
            server.terminate()


def imported(superset: Superset, archive: Path) -> tuple[int, dict[str, int]]:
    """Import a dashboard into an empty Superset; return its id and those of its charts by title."""
    with archive.open("rb") as content:
        answer = superset.client.post(
            "/api/v1/dashboard/import/", files={"formData": (archive.name, content)}, data={"overwrite": "true"}
        )
    assert answer.status_code == 200, answer.text
    [dashboard] = superset.client.get("/api/v1/dashboard/").raise_for_status().json()["result"]
    placed = superset.client.get(f"/api/v1/dashboard/{dashboard['id']}/charts").raise_for_status().json()["result"]
    return dashboard["id"], {chart["slice_name"]: chart["id"] for chart in placed}
