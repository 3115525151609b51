"""Runs one contender in a separate process and measures wall time, CPU, peak memory, and the server's counts."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one run.

    Attributes:
        wall: Seconds from start to end of the process, including interpreter and imports.
        cpu: Seconds of CPU, user and system, of the process and the children it waited for.
        peak_mb: Peak resident memory.
        requests: GraphQL requests the server answered.
        megabytes: Bytes of their bodies.
        served: Rows that the server sent, by connection.
    """

    wall: float
    cpu: float
    peak_mb: float
    requests: int
    megabytes: float
    served: Mapping[str, int]


class ContenderError(Exception):
    """A contender failed; the text is the end of its output."""


@contextmanager
def replay_server(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run a replay server during the block; yield its address and a description of its rows."""
    command = [sys.executable, "-m", "benchmarks.extraction.replay", json.dumps(options)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    try:
        line = child.stdout.readline() if child.stdout else b""
        if not line:
            raise ContenderError("the replay server did not start")
        yield json.loads(line)
    finally:
        child.terminate()
        child.wait()
        if child.stdout:
            child.stdout.close()


def measure(command: Sequence[str | Path], url: str, log: Path) -> Measured:
    """Run a contender to its end.

    Raises:
        ContenderError: It failed.
    """
    _stats(url)
    began = time.perf_counter()
    with log.open("wb") as said:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=ROOT)
        assert child.stdout
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ContenderError(log.read_text(errors="replace").strip()[-600:] or f"exit {child.returncode}")
    # A contender of several processes prints the sum of their peaks.
    own = json.loads(output.splitlines()[-1]) if output.strip().endswith(b"}") else {}
    seen = _stats(url)
    return Measured(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mb=own.get("peak_kb", usage.ru_maxrss) / 1024,
        requests=seen.pop("requests", 0),
        megabytes=seen.pop("bytes", 0) / 1e6,
        served=seen,
    )


def _stats(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/stats") as answer:  # noqa: S310 - our own server
        stats: dict[str, int] = json.load(answer)
    return stats
