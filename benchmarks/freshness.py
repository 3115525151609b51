"""From a change in ION to the published row: a change a second, events, and one process that refreshes.

    python -m benchmarks freshness --seconds 600 --scale 1
    python -m benchmarks freshness --no-events --every 5

A sandbox is read and published; then `ion-pipeline watch` runs while the title of an issue changes each second, and one
run step with it. Each title has a number of its own. A change is published when a reader who opens `ion.duckdb` finds
its number, or a later one of the same issue. With events, the receiver of the watch is sent the event of each change.

Prints one JSON document: seconds from commit to published row, processor seconds and peak memory of the watch.
"""

import argparse
import hashlib
import hmac
import json
import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson

from ion_pipeline.pipeline.pipeline import real_pipeline
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.refresh import refresh
from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.sandbox.server import SandboxAddress
from ion_pipeline.settings import load_settings

_SECRET = "of this benchmark"  # noqa: S105 -- signs events of this process only
_TICKS = os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Tenant:
    """The sandbox, and what of it is published."""

    def __init__(self, address: SandboxAddress, data_dir: Path, receiver: str | None) -> None:
        self._url, self._receiver = address.api_url, receiver
        self._file = data_dir / "published" / "ion.duckdb"
        self._latest = data_dir / "published" / "latest.json"
        self._client = httpx.Client(timeout=30)
        self._seen = ""
        with duckdb.connect(str(self._file), read_only=True) as connection:
            self._issues = [
                row[0] for row in connection.execute("select issue_id from quality.issues order by all").fetchall()
            ]
            self._steps = [
                row[0] for row in connection.execute("select run_step_id from production.run_steps").fetchall()
            ]

    def change(self, number: int) -> float:
        """Commit one change and send its events; return when it was committed."""
        issue, step = self.issue_of(number), self._steps[number % len(self._steps)]
        changes = [
            {"op": "update", "entity": "issues", "id": issue, "values": {"title": f"change {number}"}, "touch": True},
            {"op": "update", "entity": "runSteps", "id": step, "values": {}, "touch": True},
        ]
        self._client.post(f"{self._url}/_sandbox/changes", json=changes).raise_for_status()
        at = time.monotonic()
        for resource in ("issues", "run_steps") if self._receiver else ():
            body = orjson.dumps({"event_id": f"{resource}-{number}", "subscription_id": 1, "resource": resource})
            signature = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
            headers = {"x-ion-signature": signature}
            self._client.post(f"{self._receiver}/ion/webhooks", content=body, headers=headers).raise_for_status()
        return at

    def published(self) -> dict[int, int] | None:
        """The highest number of each issue in a publish that was not seen before; None if there is no such publish."""
        document = self._latest.read_text(encoding="utf-8")
        if document == self._seen:
            return None
        with duckdb.connect(str(self._file), read_only=True) as connection:
            rows = connection.execute(
                "select issue_id, cast(regexp_extract(issue_title, '^change ([0-9]+)$', 1) as bigint) "
                "from quality.issues where regexp_matches(issue_title, '^change [0-9]+$')"
            ).fetchall()
        self._seen = document
        return dict(rows)

    def issue_of(self, number: int) -> int:
        """The issue whose title the change of this number sets."""
        return int(self._issues[number % len(self._issues)])


def _stream(tenant: _Tenant, seconds: float) -> list[float]:
    """Make a change a second; return the seconds until each was published."""
    waiting: dict[int, float] = {}
    delays: list[float] = []
    began, number = time.monotonic(), 0
    while number < seconds or waiting:
        if number < seconds and time.monotonic() >= began + number:
            waiting[number] = tenant.change(number)
            number += 1
        if found := tenant.published():
            now = time.monotonic()
            seen = [one for one in waiting if found.get(tenant.issue_of(one), -1) >= one]
            delays.extend(now - waiting.pop(one) for one in seen)
        if time.monotonic() > began + seconds + 300:
            sys.exit(f"{len(waiting)} changes were not published five minutes after the last one.")
        time.sleep(0.02)
    return delays


def _used(pid: int) -> tuple[float, int]:
    """Processor seconds and peak memory in MB of a process and the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return sum(map(int, fields[11:15])) / _TICKS, int(peak.split()[1]) // 1024


def measure(*, seconds: int, scale: float, every: float, settle: float, events: bool, memory: str) -> dict[str, Any]:
    """Publish a factory of this scale, then change it while a watch runs."""
    with running_sandbox(scale=scale) as address, tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            environment="custom",
            api_url=address.api_url,
            auth_url=address.auth_url,
            client_id=address.client_id,
            client_secret=address.client_secret,
            data_dir=Path(folder),
            duckdb_memory_limit=memory,
        )
        refresh(settings, real_pipeline(settings, NullReporter()))
        port = _free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ION_", "DAGSTER_"))},
            "ION_ENVIRONMENT": "custom",
            "ION_API_URL": address.api_url,
            "ION_AUTH_URL": address.auth_url,
            "ION_CLIENT_ID": address.client_id,
            "ION_CLIENT_SECRET": address.client_secret,
            "ION_DATA_DIR": folder,
            "ION_DUCKDB_MEMORY_LIMIT": memory,
            **({"ION_WEBHOOK_SECRET": _SECRET} if events else {}),
        }
        command = [sys.executable, "-m", "ion_pipeline.cli", "watch", "--every", str(every), "--settle", str(settle)]
        tenant = _Tenant(address, settings.data_dir, f"http://127.0.0.1:{port}" if events else None)
        with subprocess.Popen(
            [*command, "--port", str(port)], env=environment, stderr=subprocess.PIPE, text=True
        ) as watch:
            assert watch.stderr
            for line in watch.stderr:
                if line.startswith("Refreshing every"):
                    break
            before, _ = _used(watch.pid)
            delays = sorted(_stream(tenant, seconds))
            used, peak = _used(watch.pid)
            watch.send_signal(signal.SIGTERM)
            lines = watch.communicate(timeout=60)[1]
    return {
        "changes": len(delays),
        "publishes": lines.count("published"),
        "median_seconds": round(statistics.median(delays), 2),
        "p99_seconds": round(delays[math.ceil(len(delays) * 0.99) - 1], 2),
        "most_seconds": round(delays[-1], 2),
        "processor_seconds_per_change": round((used - before) / len(delays), 2),
        "peak_mb": peak,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks freshness", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600, help="a change in each of them")
    parser.add_argument("--scale", type=float, default=1.0, help="of the factory")
    parser.add_argument("--every", type=float, default=60.0, help="as for ion-pipeline watch")
    parser.add_argument("--settle", type=float, default=1.0, help="as for ion-pipeline watch")
    parser.add_argument("--no-events", action="store_true", help="changes are found at intervals only")
    parser.add_argument("--memory", default="2GB", help="as ION_DUCKDB_MEMORY_LIMIT")
    arguments = parser.parse_args()
    result = measure(
        seconds=arguments.seconds,
        scale=arguments.scale,
        every=arguments.every,
        settle=arguments.settle,
        events=not arguments.no_events,
        memory=arguments.memory,
    )
    sys.stdout.write(f"{json.dumps(result, indent=2)}\n")


if __name__ == "__main__":
    main()
