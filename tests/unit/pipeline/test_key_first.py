"""A key that ION refuses is reported before dbt is parsed."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ion_pipeline.cli import app
from ion_pipeline.client import AuthError
from ion_pipeline.pipeline.dbt import building


class Refuses(BaseHTTPRequestHandler):
    """A token host that knows no key."""

    asked: int = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        body = b'{"error": "invalid_client"}'
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wrong_key_is_said_before_dbt_is_parsed(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("dbt was started")

    monkeypatch.setattr(building, "run", run)
    monkeypatch.chdir(tmp_path)
    settings = {"ENVIRONMENT": "custom", "API_URL": host, "AUTH_URL": host, "CLIENT_ID": "id", "CLIENT_SECRET": "no"}
    for name, value in settings.items():
        monkeypatch.setenv(f"ION_{name}", value)
    result = CliRunner().invoke(app, ["refresh"])
    assert isinstance(result.exception, AuthError)
    assert "refuses the API key" in str(result.exception)
    assert Refuses.asked == 1
