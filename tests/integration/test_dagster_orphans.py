"""A refresh of the command line that was killed does not keep the next one waiting, also where runs are recorded."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import httpx
import pytest

from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
from ion_pipeline.defs.orphans import PROCESS, fail_orphans, this_process
from ion_pipeline.sandbox.process import running_sandbox

pytestmark = [pytest.mark.slow]


def refresh(folder: Path, **settings: str) -> "subprocess.Popen[bytes]":
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ION_")},
        "DAGSTER_HOME": str(folder / "home"),
        "ION_ENVIRONMENT": "custom",
        "ION_DATA_DIR": str(folder / "data"),
        "ION_ENTITIES": "parts,suppliers",
        **settings,
    }
    command = [sys.executable, "-m", "ion_pipeline.cli", "refresh"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_killed_refresh_does_not_keep_the_next_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: Callable[[Path], None]
) -> None:
    parsed(tmp_path / "data")
    with running_sandbox(scale=0.05) as sandbox:
        settings = {
            "ION_API_URL": sandbox.api_url,
            "ION_AUTH_URL": sandbox.auth_url,
            "ION_CLIENT_ID": sandbox.client_id,
            "ION_CLIENT_SECRET": "wrong-on-purpose",
        }
        # The token endpoint is slow: the run waits there, with its place in the pool.
        slow = {"seed": 1, "rules": [{"kind": "latency", "endpoint": "token", "seconds": 60}]}
        httpx.post(f"{sandbox.api_url}/_sandbox/faults", json=slow).raise_for_status()
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
        with refresh(tmp_path, **settings) as killed:
            deadline = time.monotonic() + 120
            try:
                while not (tmp_path / "home" / "dagster.yaml").exists() or not in_the_pool():
                    assert killed.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            finally:
                killed.send_signal(signal.SIGKILL)
        [run_id] = in_the_pool()
        httpx.delete(f"{sandbox.api_url}/_sandbox/faults").raise_for_status()
        with refresh(tmp_path, **settings) as second:
            try:
                _, said = second.communicate(timeout=120)
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
