"""One data directory that DuckDB has built, and the same one built on Spark."""

import random
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import orjson
import pytest

from ion_pipeline.defs.run import RefreshResult, run_refresh
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.adopt import adopt
from ion_pipeline.pipeline.dbt.process import results_path
from ion_pipeline.pipeline.pipeline import real_pipeline
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.settings import Settings, load_settings
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import serving
from tests.integration.support.tenant import Tenant
from tests.oracle.random_worlds import ID_RANGE, random_world

SCALE = 0.1
MEMORY = "3GB"
#: Refreshes of the tenant, each with a load or two; between two of them its plant works for a while.
LOADS, TICKS = 6, 60
#: The adopted table from which further actions come.
FURTHER_ACTIONS = "further_action_issues"
#: Random worlds in the tenant, with ids behind those of the factory.
WORLDS, SEED, FIRST_ID = 20, 7, 10_000_001


@dataclass(frozen=True)
class Engines:
    """The same loads, built by two engines.

    Attributes:
        duckdb: The data directory that DuckDB has built.
        spark: The one that Spark has built, in a job of Dagster.
        on_duckdb: Status of each model and test.
        on_spark: The same.
        job: What the job did.
    """

    duckdb: Settings
    spark: Settings
    on_duckdb: dict[str, str]
    on_spark: dict[str, str]
    job: RefreshResult


def settings_of(data_dir: Path, **others: object) -> Settings:
    """Settings without a tenant, for what has been read."""
    return load_settings(
        environment="embedded",
        data_dir=data_dir,
        duckdb_memory_limit=MEMORY,
        further_actions=FURTHER_ACTIONS,
        **others,
    )


def copied(world: Settings, folder: Path, **others: object) -> Settings:
    """The same data directory for a build on Spark."""
    shutil.copytree(world.data_dir, folder / "spark", symlinks=True)
    return settings_of(folder / "spark", engine="spark", **others)


def add_random_worlds(app: SandboxApp) -> None:
    """Worlds with the situations that break genealogies; their users are the factory's."""
    for place in range(WORLDS):
        rows_by_entity = random_world(random.Random(f"{SEED}/{place}"), first_id=FIRST_ID + place * ID_RANGE)
        for entity, rows in rows_by_entity.items():
            if entity != "users":
                app.changes.post([{"op": "add", "entity": entity, "row": row} for row in rows])


def work(app: SandboxApp) -> None:
    """Let the plant work for a while."""
    assert app.plant
    for _ in range(TICKS):
        app.changes.post(app.plant.tick(datetime.now(UTC)).changes)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    """The demo's plant at work and random worlds, read in several loads: the last by the job that builds on Spark.

    The second load adds what the tenant has and the shipped schema lacks.

    Then DuckDB builds a copy of what has been read.
    """
    folder = tmp_path_factory.mktemp("engines")
    app = build_app(SandboxOptions(scale=SCALE, profile="today", day_minutes=1.0), "a secret")
    with serving(app.asgi) as address:
        tenant = Tenant(address, settings_for(address, folder / "spark"), folder)
        assert tenant.refresh().load_id
        # After the first load, whose files lack what is adopted.
        assert adopt(tenant.settings)
        tenant = replace(tenant, settings=tenant.settings.model_copy(update={"further_actions": FURTHER_ACTIONS}))
        assert tenant.refresh().load_id
        add_random_worlds(app)
        for _ in range(LOADS - 3):
            work(app)
            assert tenant.refresh().load_id
        work(app)
        spark = tenant.settings.model_copy(update={"engine": "spark", "duckdb_memory_limit": MEMORY})
        with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
            job = run_refresh(spark, real_pipeline(spark, NullReporter()), instance=instance)
    on_spark = statuses(spark)
    duckdb = settings_of(folder / "duckdb")
    # A build records when the loads before it were published; the one on Spark came before the last publish.
    shutil.copytree(spark.data_dir, duckdb.data_dir, symlinks=True, ignore=shutil.ignore_patterns("published"))
    dbt.build(duckdb)
    return Engines(duckdb, spark, statuses(duckdb), on_spark, job)


def statuses(settings: Settings) -> dict[str, str]:
    """Status of each model and test in the last build."""
    results = orjson.loads(results_path(settings).read_bytes())["results"]
    return {one["unique_id"]: one["status"] for one in results}


@pytest.fixture(scope="session")
def world(engines: Engines) -> Settings:
    """What DuckDB has built."""
    return engines.duckdb
