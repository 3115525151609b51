"""What is said where Spark cannot be had."""

from pathlib import Path

import pytest

from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt import BuildError
from tests.spark.comparing import opened, rows
from tests.spark.conftest import Engines, settings_of


def test_a_machine_without_java_is_one_clear_line(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    with opened(engines.spark.warehouse_path) as warehouse:
        before = rows(warehouse, "production", "runs")
    with pytest.raises(BuildError, match=r"^Spark cannot be reached: [^\n]+$") as caught:
        dbt.build(settings_of(engines.spark.data_dir, engine="spark"))
    assert "Java 17" in caught.value.remedy
    with opened(engines.spark.warehouse_path) as warehouse:
        assert rows(warehouse, "production", "runs") == before != []
    assert list((engines.spark.data_dir / "spark").iterdir()) == []
