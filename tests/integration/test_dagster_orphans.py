"""A refresh of the command line that was killed does not keep the next one waiting, also where runs are recorded."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
from ion_pipeline.defs.orphans import PROCESS, fail_orphans, this_process
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from tests.integration.conftest import MEMORY
from tests.integration.support.changing_world import serving

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def refresh(folder: Path, **settings: str) -> "subprocess.Popen[bytes]":
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ION_")},
        "DAGSTER_HOME": str(folder / "home"),
        "ION_DATA_DIR": str(folder / "data"),
        # As the shared project was parsed: dbt parses everything anew when this has changed.
        "ION_DUCKDB_MEMORY_LIMIT": MEMORY,
        "ION_ENTITIES": "parts,suppliers",
        **settings,
    }
    command = [sys.executable, "-m", "ion_pipeline.cli", "refresh"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class SlowToken:
    """A sandbox that answers no request for a token until it may."""

    def __init__(self, app: Any) -> None:
        self.app, self.asked, self.may_answer = app, threading.Event(), threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/token"):
            self.asked.set()
            await asyncio.to_thread(self.may_answer.wait)
        await self.app(scope, receive, send)


def test_a_killed_refresh_does_not_keep_the_next_one_waiting(
    tmp_path: Path, demo_world: Path, monkeypatch: pytest.MonkeyPatch, parsed: Callable[[Path], None]
) -> None:
    parsed(tmp_path / "data")
    slow = SlowToken(build_app(SandboxOptions(world=demo_world), "a secret").asgi)
    with serving(slow) as sandbox:
        settings = {**sandbox.environment(), "ION_CLIENT_SECRET": "wrong-on-purpose"}
        with refresh(tmp_path, **settings) as killed:
            try:
                # The run waits there, with its place in the pool.
                while not slow.asked.wait(1):
                    assert killed.poll() is None
            finally:
                killed.send_signal(signal.SIGKILL)
                slow.may_answer.set()
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
        [run_id] = in_the_pool()
        with refresh(tmp_path, **settings) as second:
            try:
                _, said = second.communicate(timeout=300)
            finally:
                second.kill()
    assert second.returncode == 1
    assert b"refuses the API key" in said
    with open_instance() as instance:
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.status is dg.DagsterRunStatus.FAILURE


OPENS = """
import os, sys
from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
print("ready", flush=True)
for home in sys.stdin:
    os.environ["DAGSTER_HOME"] = home.strip()
    open_instance().dispose()
    print("opened", flush=True)
"""


def test_two_that_open_a_new_instance_at_once_do_not_spoil_it(tmp_path: Path) -> None:
    """Left to themselves, about half of those who open it at once fail."""
    both = [
        subprocess.Popen([sys.executable, "-c", OPENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    homes = [prepare_dagster_home(tmp_path / name) for name in ("first", "second", "third")]
    try:
        said = [[read(one)] for one in both]
        for home in homes:
            for one in both:
                assert one.stdin
                one.stdin.write(f"{home}\n")
                one.stdin.flush()
            for lines, one in zip(said, both, strict=True):
                lines.append(read(one))
    finally:
        for one in both:
            one.communicate()
    assert said == [["ready", *["opened"] * len(homes)]] * 2


def read(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def in_the_pool() -> set[str]:
    with open_instance() as instance:
        return instance.event_log_storage.get_concurrency_run_ids()


@pytest.mark.parametrize(
    ("process", "is_orphan"),
    [
        (this_process(), False),
        ("another-machine - 1", False),
        (" ".join([*this_process().split()[:2], "4194305"]), True),
        (" ".join([this_process().split()[0], "an-earlier-boot", str(os.getpid())]), True),
    ],
    ids=["alive", "elsewhere", "gone", "before the reboot"],
)
def test_only_what_is_surely_gone_is_failed(process: str, is_orphan: bool) -> None:
    @dg.job
    def refresh() -> None:
        """Nothing to do."""

    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        run = instance.create_run_for_job(refresh, status=dg.DagsterRunStatus.STARTED, tags={PROCESS: process})
        assert fail_orphans(instance) == ([run.run_id] if is_orphan else [])
        now = instance.get_run_by_id(run.run_id)
        assert now
        assert (now.status is dg.DagsterRunStatus.FAILURE) is is_orphan
