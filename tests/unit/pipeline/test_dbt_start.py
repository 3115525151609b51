"""What is said while dbt starts."""

from pathlib import Path

from ion_pipeline.counting import Count
from ion_pipeline.pipeline.dbt.start import Start
from tests.clock import Clock


def test_it_says_how_long_the_last_start_of_its_kind_took(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "starts.json"
    first = Start(file, "duckdb", "build", clock)
    assert first.count == Count(0, 0, "nodes", "dbt starts and reads the models")
    clock.now += 9.4
    first.ended()
    clock.now += 100
    first.ended()  # At each further node.
    assert Start(file, "duckdb", "build", clock).count.doing.endswith("which took 9 s last time")
    assert Start(file, "duckdb", "parse", clock).count.doing == "dbt reads the models"
    assert Start(file, "spark", "build", clock).count.doing == "dbt starts and reads the models"
