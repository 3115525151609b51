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


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    """The demo world, read once; DuckDB and Spark each build all models of it."""
    folder = tmp_path_factory.mktemp("engines")
    duckdb = settings_of(folder / "duckdb")
    refresh(duckdb, real_pipeline(duckdb, NullReporter()))
    on_duckdb = dbt.build(duckdb)
    shutil.copytree(duckdb.data_dir, folder / "spark", symlinks=True)
    spark = settings_of(folder / "spark", engine="spark")
    return Engines(duckdb, spark, on_duckdb, dbt.build(spark))
