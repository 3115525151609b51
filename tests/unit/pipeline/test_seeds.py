"""An organisation's own seed files in the shipped project, and the folders of them that cannot be meant."""

from pathlib import Path

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.pipeline.dbt import project_dir
from ion_pipeline.pipeline.dbt.seeds import linked_project

HEADER = "rule_name,rule_set,is_on,description\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def contents(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "seeds").iterdir()}


def test_own_files_stand_in_for_shipped_ones_and_nothing_else_differs(own: Path, tmp_path: Path) -> None:
    (own / "chart_rules.csv").write_text(HEADER)
    (own / "README.md").write_text("why we go by one rule set")
    project = linked_project(project_dir(), own, tmp_path / "dbt")
    shipped = contents(project_dir())
    assert contents(project) == shipped | {"chart_rules.csv": HEADER.encode()}
    assert (project / "dbt_project.yml").samefile(project_dir() / "dbt_project.yml")
    assert (project / "models" / "marts").samefile(project_dir() / "models" / "marts")


def test_what_is_edited_added_and_taken_away_counts_at_once(own: Path, tmp_path: Path) -> None:
    rules = own / "chart_rules.csv"
    rules.write_text(HEADER)
    project = linked_project(project_dir(), own, tmp_path / "dbt")
    rules.write_text(HEADER + "nelson_1,nelson,true,x\n")
    assert contents(project)["chart_rules.csv"] == rules.read_bytes()
    rules.unlink()
    settings = own / "organization_settings.csv"
    settings.write_text("setting_key,setting_value,description\n")
    assert linked_project(project_dir(), own, tmp_path / "dbt") == project
    assert contents(project) == contents(project_dir()) | {"organization_settings.csv": settings.read_bytes()}


def test_a_link_to_what_is_no_longer_shipped_goes(own: Path, tmp_path: Path) -> None:
    project = linked_project(project_dir(), own, tmp_path / "dbt")
    (project / "seeds" / "gone.csv").symlink_to(tmp_path / "gone.csv")
    linked_project(project_dir(), own, tmp_path / "dbt")
    assert {path.name for path in (project / "seeds").iterdir()} == set(contents(project_dir()))


def test_a_file_that_is_no_seed_is_an_error(own: Path, tmp_path: Path) -> None:
    (own / "chart_rule.csv").write_text(HEADER)
    with pytest.raises(SettingsError, match=r"chart_rule\.csv is no seed: there are chart_baselines\.csv, chart_rules"):
        linked_project(project_dir(), own, tmp_path / "dbt")


def test_other_columns_are_an_error(own: Path, tmp_path: Path) -> None:
    (own / "chart_rules.csv").write_text("rule_name,is_on\n")
    with pytest.raises(SettingsError, match="has the columns rule_name, is_on instead of rule_name, rule_set, is_on"):
        linked_project(project_dir(), own, tmp_path / "dbt")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ION_SEEDS_DIR is .*nowhere, and that is no folder"):
        linked_project(project_dir(), tmp_path / "nowhere", tmp_path / "dbt")
    assert not (tmp_path / "dbt").exists()
