"""What is said where Spark cannot be had."""

import socket
from pathlib import Path

import pytest

from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt import BuildError
from ion_pipeline.settings import Settings
from tests.spark.comparing import opened, rows
from tests.spark.conftest import copied


def test_a_machine_without_java_is_one_clear_line(
    world: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    assert "Java 17" in remedy_of(copied(world, tmp_path), r"^Spark cannot be reached: [^\n]+$")


def test_a_server_that_does_not_answer_is_one_clear_line(world: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        remote = f"sc://127.0.0.1:{taken.getsockname()[1]}"
        said = f"^Spark cannot be reached: no server of Spark Connect answers at {remote}\\. [^\n]+$"
        assert "ION_SPARK_REMOTE" in remedy_of(copied(world, tmp_path, spark_remote=remote), said)


def remedy_of(settings: Settings, said: str) -> str:
    """What to do about a build that fails with this message and leaves everything as it was."""
    with opened(settings.warehouse_path) as warehouse:
        before = rows(warehouse, "production", "runs")
    with pytest.raises(BuildError, match=said) as caught:
        dbt.build(settings)
    with opened(settings.warehouse_path) as warehouse:
        assert rows(warehouse, "production", "runs") == before != []
    assert list((settings.data_dir / "spark").iterdir()) == []
    return caught.value.remedy
