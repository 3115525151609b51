"""Dagster as it is deployed: webserver and daemon as processes, runs and pools in a real PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import httpx
import psycopg
import pytest

from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.sandbox.server import SandboxAddress
from tests.integration.support.dagster_server import REPOSITORY, DagsterServer, dagster_server

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
OPERATIONS, TAGS = ("extract", "load"), {"ion/entities": "suppliers"}


@dataclass
class Deployed:
    """A deployment: what runs, where it keeps its runs, whom it reads."""

    server: DagsterServer
    instance: dg.DagsterInstance
    sandbox: SandboxAddress
    database: str
    folder: Path

    def wait(self, is_so: Callable[[], object], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, self.server.log("daemon")[-4000:]
            time.sleep(0.2)

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run.status

    def wait_for_success(self, *run_ids: str) -> None:
        self.wait(lambda: all(self.status(run_id) in FINISHED for run_id in run_ids))
        assert {self.status(run_id) for run_id in run_ids} == {dg.DagsterRunStatus.SUCCESS}

    def slow_down(self, seconds: float) -> None:
        rules = [{"kind": "latency", "seconds": seconds}] if seconds else []
        httpx.post(f"{self.sandbox.api_url}/_sandbox/faults", json={"seed": 1, "rules": rules}).raise_for_status()

    def span(self, run_id: str, step: str) -> tuple[float, float]:
        """When a step of a run began and ended."""
        [record] = self.instance.get_run_step_stats(run_id, [step])
        assert record.start_time
        assert record.end_time
        return record.start_time, record.end_time

    def is_reading(self, run_id: str) -> bool:
        """Whether a run has the place in the tenant's pool."""
        return (run_id,) in self.rows("select run_id from concurrency_slots where concurrency_key = 'ion_api'")

    def process(self, run_id: str) -> int:
        """The run's own process."""
        records = self.instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
        texts = [record.event_log_entry.dagster_event.message or "" for record in records]  # type: ignore[union-attr]
        pids = [match[1] for text in texts if (match := re.search(r"\(pid: (\d+)\)", text))]
        assert pids, texts
        return int(pids[0])

    def retry_of(self, run_id: str) -> str:
        """The run that Dagster starts for a failed one."""
        retries = dg.RunsFilter(tags={"dagster/parent_run_id": run_id})
        self.wait(lambda: self.instance.get_runs(retries))
        [retry] = self.instance.get_runs(retries)
        return retry.run_id

    def command(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What somebody runs by hand, with the services' settings."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            env=self.server.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]


FINISHED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    rendered(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        # The server keeps its locks there, and warns where there is none.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import pgserver

        with (
            pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete") as postgres,
            running_sandbox(scale=0.05) as sandbox,
        ):
            database = postgres.get_uri()
            url = database.replace("postgresql://", "postgresql+psycopg2://").replace("postgres:@", "postgres@")
            home = prepare_dagster_home(folder / "home", postgres_url=url)
            # As shipped, but looked after more often than an hourly refresh needs.
            settings = (home / "dagster.yaml").read_text("utf-8")
            assert settings.count("_seconds: 30\n") == 2
            (home / "dagster.yaml").write_text(settings.replace("_seconds: 30\n", "_seconds: 2\n"), "utf-8")
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("ION_")},
                "DAGSTER_HOME": str(home),
                "DAGSTER_POSTGRES_URL": url,
                "ION_ENVIRONMENT": "custom",
                "ION_API_URL": sandbox.api_url,
                "ION_AUTH_URL": sandbox.auth_url,
                "ION_CLIENT_ID": sandbox.client_id,
                "ION_CLIENT_SECRET": sandbox.client_secret,
                "ION_DATA_DIR": str(folder / "data"),
                "ION_ENTITIES": "parts,suppliers",
                "ION_RUN_RETRIES": "2",
            }
            patch.setenv("DAGSTER_HOME", str(home))
            patch.setenv("DAGSTER_POSTGRES_URL", url)
            with dagster_server(folder, environment) as server, dg.DagsterInstance.get() as instance:
                yield Deployed(server, instance, sandbox, database, folder)


def test_two_runs_at_once_read_the_tenant_one_after_the_other(deployed: Deployed) -> None:
    deployed.slow_down(0.5)
    runs = [deployed.server.launch("full_refresh", OPERATIONS, TAGS) for _ in range(2)]
    deployed.wait_for_success(*runs)
    deployed.slow_down(0)
    records = [record for run_id in runs if (record := deployed.instance.get_run_record_by_id(run_id))]
    ended = min(record.end_time or 0 for record in records)
    assert max(record.create_timestamp.timestamp() for record in records) < ended, "the runs did not overlap"
    for step in ("extract", "load"):
        first, second = sorted(deployed.span(run_id, step) for run_id in runs)
        assert first[1] <= second[0], f"{step} of both runs at the same time"
    with duckdb.connect(str(deployed.folder / "data" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from raw.suppliers").fetchone() == (True,)
        assert connection.execute("select count(*) from raw._ion_loads").fetchone() == (2,)


def test_runs_events_and_pools_are_in_postgres_and_nothing_is_in_sqlite(deployed: Deployed) -> None:
    assert set(deployed.rows("select status, count(*) from runs group by 1")) == {("SUCCESS", 2)}
    events = dict(
        deployed.rows("select dagster_event_type, count(*) from event_logs where step_key = 'extract' group by 1")
    )
    assert (events["STEP_START"], events["STEP_SUCCESS"]) == (2, 2)
    assert events["ASSET_MATERIALIZATION"] > 0
    assert {key for (key,) in deployed.rows("select concurrency_key from concurrency_limits")} == {
        "ion_api",
        "duckdb_writer",
    }
    # As an upgrade does it; there is nothing to migrate yet, and what is recorded stays.
    migrated = deployed.command("dagster", "instance", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert deployed.rows("select count(*) from runs") == [(2,)]
    assert not [*(deployed.folder / "home").rglob("*.db"), *(deployed.folder / "home").rglob("*.sqlite")]


def test_a_run_that_is_killed_and_then_its_server_holds_nobody_up(deployed: Deployed) -> None:
    deployed.slow_down(3)
    first = deployed.server.launch("full_refresh", OPERATIONS, TAGS)
    deployed.wait(lambda: deployed.is_reading(first))
    os.kill(deployed.process(first), signal.SIGKILL)
    second = deployed.retry_of(first)
    deployed.wait(lambda: deployed.is_reading(second))
    deployed.server.end("daemon", signal.SIGKILL)
    deployed.slow_down(0)
    assert deployed.status(second) is dg.DagsterRunStatus.STARTED
    cleared = deployed.command("ion_pipeline.defs.orphans")
    assert cleared.returncode == 0, cleared.stderr
    assert second in cleared.stderr
    assert deployed.status(second) is dg.DagsterRunStatus.FAILURE
    assert not deployed.is_reading(second)
    deployed.server.start("daemon", "run")
    deployed.wait_for_success(deployed.retry_of(second))
