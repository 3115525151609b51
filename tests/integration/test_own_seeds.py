"""What an organisation decides by files of its own decides what its warehouse says."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.counting import Count
from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import load_settings
from tests.integration.conftest import Built

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

SEEDS = dbt.project_dir() / "seeds"


def ask(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_own_rules_and_baseline_and_back_again(demo_warehouse: Built, tmp_path: Path) -> None:
    # All that means something to SQL, a pattern or a shell; nothing of it is in what is read or written.
    data_dir, own = tmp_path / "it's a*b [x] {y,z} #1;&%20$\"é" / "data", tmp_path / "seeds"
    shutil.copytree(demo_warehouse.data_dir / "dbt", data_dir / "dbt")
    shutil.copy(demo_warehouse.warehouse, data_dir / "warehouse.duckdb")
    own.mkdir()
    lines = (SEEDS / "chart_rules.csv").read_text("utf-8").splitlines(keepends=True)
    without_nelson = [line.replace(",true,", ",false,") if line.startswith("nelson") else line for line in lines]
    (own / "chart_rules.csv").write_text("".join(without_nelson), "utf-8")
    (own / "chart_baselines.csv").write_text("chart_key,baseline_points,starts_at,ends_at\ndefault,10,,\n")
    rules = "select distinct unnest(rules_broken) from quality.control_chart_points order by 1"
    longest = "select max(baseline_count) from quality.control_chart_points where chart_type = 'individuals'"
    shipped = ask(data_dir, rules)
    assert {name.split("_")[0] for (name,) in shipped} == {"nelson", "western"}
    assert ask(data_dir, longest) == [(25,)]

    def build(seeds_dir: Path | None) -> list[Count]:
        settings = load_settings(data_dir=data_dir, seeds_dir=seeds_dir, duckdb_memory_limit="1GB")
        models = ["int_quality__chart_values", "int_quality__individuals", "control_chart_points"]
        counts, lines = list[Count](), list[str]()
        select = ["chart_rules", "chart_baselines", *models]
        report = dbt.build(settings, select=select, on_line=lines.append, on_count=counts.append)
        assert report.count("model") == len(models)
        starting = counts.pop(0)
        assert (starting.total, starting.name) == (0, "")
        assert starting.doing.startswith("dbt starts")
        # Each node begins and ends; dbt's own lines are as without a count.
        assert (counts[-1].done, len(counts)) == (len(report.nodes), 2 * len(report.nodes))
        assert {one.total for one in counts} == {len(report.nodes)}
        assert {f"model {name}" for name in models} <= {one.name for one in counts}
        assert [line for line in lines if not line.isprintable()] == []
        assert any("control_chart_points" in line for line in lines)
        return counts

    first = build(own)
    assert {name.split("_")[0] for (name,) in ask(data_dir, rules)} == {"western"}
    assert ask(data_dir, longest) == [(10,)]
    second = build(None)
    # The run before the first was of all models; that before the second was of the same ones.
    assert {one.share for one in first} == {None}
    shares = [one.share or 0.0 for one in second]
    assert shares == sorted(shares)
    assert (shares[0], round(shares[-1], 9)) == (0.0, 1.0)
    assert (ask(data_dir, rules), ask(data_dir, longest)) == (shipped, [(25,)])
