"""The receiver of webhooks as a process, and deliveries to it."""

import contextlib
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from ion_pipeline.webhooks import Inbox

SECRET = "shared-with-ion-only"


@dataclass
class Receiver:
    """A running receiver."""

    url: str
    process: subprocess.Popen[str]
    inbox: Inbox
    client: httpx.Client

    def deliver(self, event_id: str, resource: str = "parts", **options: str) -> httpx.Response:
        body = orjson.dumps({"event_id": event_id, "subscription_id": 3, "resource": resource})
        return self.post(body, **options)

    def post(self, body: bytes, signature: str | None = None, secret: str = SECRET) -> httpx.Response:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-ion-signature": digest if signature is None else signature}
        return self.client.post(f"{self.url}/ion/webhooks", content=body, headers=headers)

    def ids(self) -> list[str]:
        return [stored.event.event_id for stored in self.inbox.after(0)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path, **settings: str) -> Iterator[Receiver]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ION_")},
        "ION_DATA_DIR": str(folder),
        "ION_WEBHOOK_SECRET": SECRET,
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ion_pipeline.cli", "webhooks", "serve", "--port", str(port)],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    with process:
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"{url}/healthz").raise_for_status()
                    break
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            with httpx.Client(timeout=20) as client:
                yield Receiver(url, process, Inbox(folder / "webhooks.sqlite"), client)
        finally:
            process.kill()
