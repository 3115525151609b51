"""The depth at which trees end is that of the models wherever it is written again."""

from pathlib import Path

from ion_pipeline.publish.conformance import MAX_DEPTH
from tests.documents import read_yaml

PROJECT = Path(__file__).parents[2] / "dbt_project" / "dbt_project.yml"


def test_a_comparison_ends_where_the_models_end() -> None:
    assert read_yaml(PROJECT)["vars"]["abom_max_depth"] == MAX_DEPTH
