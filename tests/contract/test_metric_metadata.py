"""The metrics in the models' metadata, from which the metric dictionary is built."""

import pytest

from ion_pipeline.pipeline.dbt import project_dir
from tests.documents import read_yaml

MARTS = project_dir() / "models" / "marts"
STATED = {
    "production/runs": {"elapsed_hours", "touch_hours", "wip_age_hours", "is_first_pass"},
    "production/run_steps": {"attempt_count"},
    "production/open_runs": {"current_step_hours"},
    "production/labor_sessions": {"hours", "labor_cost"},
    "quality/first_pass_yield": {"first_pass_yield", "final_yield"},
    "quality/rolled_throughput_yield": {"rolled_throughput_yield", "rolled_final_yield"},
    "quality/redline_rates": {"redline_rate", "redlines_per_run"},
    "quality/step_redline_rates": {"step_redline_rate", "redlines_per_run_step"},
}


@pytest.mark.parametrize("mart", sorted(STATED))
def test_each_figure_has_formula_grain_source_and_caveats(mart: str) -> None:
    [model] = read_yaml(MARTS / f"{mart}.yml")["models"]
    metrics = model["config"]["meta"]["metrics"]
    assert {metric["name"] for metric in metrics} == STATED[mart]
    assert STATED[mart] <= {column["name"] for column in model["columns"]}
    for metric in metrics:
        assert set(metric) == {"name", "formula", "grain", "source", "caveats"}
        assert all(isinstance(text, str) and text for text in metric.values())
