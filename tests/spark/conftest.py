"""One data directory that DuckDB has built, and the same one built on Spark."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt import BuildReport
from ion_pipeline.pipeline.pipeline import real_pipeline
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.refresh import refresh
from ion_pipeline.settings import Settings, load_settings

SCALE = 0.1


@dataclass(frozen=True)
class Engines:
    """The same loads, built by two engines."""

    duckdb: Settings
    spark: Settings
    on_duckdb: BuildReport
    on_spark: BuildReport


def settings_of(data_dir: Path, **others: object) -> Settings:
    return load_settings(
        environment="embedded",
        data_dir=data_dir,
        sandbox_scale=SCALE,
        sandbox_today=date(2026, 7, 1),
        duckdb_memory_limit="3GB",
        **others,
    )


def copied(world: Settings, folder: Path, **others: object) -> Settings:
    """The same data directory for a build on Spark."""
    shutil.copytree(world.data_dir, folder / "spark", symlinks=True)
    return settings_of(folder / "spark", engine="spark", **others)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demo world, read once and built by DuckDB."""
    settings = settings_of(tmp_path_factory.mktemp("world") / "duckdb")
    refresh(settings, real_pipeline(settings, NullReporter()))
    return settings


@pytest.fixture(scope="session")
def engines(world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Engines:
    """DuckDB and Spark each build all models of the demo world."""
    on_duckdb = dbt.build(world)
    spark = copied(world, tmp_path_factory.mktemp("engines"))
    return Engines(world, spark, on_duckdb, dbt.build(spark))
