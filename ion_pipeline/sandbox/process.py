"""Runs a sandbox as a child process for the duration of a block; used by `embedded` and by tests."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import orjson

from ion_pipeline.sandbox.factory.clock import TODAY
from ion_pipeline.sandbox.server import SECRET_VARIABLE, SandboxAddress, SandboxError

_STOP_SECONDS = 10


@contextmanager
def running_sandbox(
    *,
    seed: int = 7,
    scale: float = 1.0,
    today: date = TODAY,
    world: Path | None = None,
    profile: str = "full",
    export_group: bool = True,
    names: Mapping[str, str] | None = None,
    forbid: tuple[str, ...] = (),
    token_lifetime: int = 300,
) -> Iterator[SandboxAddress]:
    """Starts a sandbox on a free port of this machine and stops it at the end of the block.

    The sandbox also ends if this process ends for any reason, because it reads from a pipe that is then closed.

    Raises:
        SandboxError: The sandbox did not start; the message contains the child's error text.
    """
    secret = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "ion_pipeline.sandbox", "--port", "0", "--until-stdin-closes"]
    command += ["--seed", str(seed), "--scale", str(scale), "--today", today.isoformat(), "--profile", profile]
    command += ["--token-lifetime", str(token_lifetime)]
    command += [] if export_group else ["--no-export-group"]
    command += [f"--name={old}={new}" for old, new in (names or {}).items()]
    command += [] if world is None else ["--world", str(world)]
    command += [part for entity in forbid for part in ("--forbid", entity)]
    with tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=os.environ | {SECRET_VARIABLE: secret},
        )
        try:
            line = child.stdout.readline() if child.stdout else b""
            if not line:
                child.wait()
                stderr.seek(0)
                said = stderr.read().decode("utf-8", "replace").strip()
                raise SandboxError(f"The sandbox did not start: {said or f'exit code {child.returncode}'}")
            ready = orjson.loads(line)
            yield SandboxAddress(ready["api_url"], ready["auth_url"], ready["client_id"], secret)
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
