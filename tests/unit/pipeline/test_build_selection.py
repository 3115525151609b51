"""A build of what nothing has the name of is an error, not a success."""

from pathlib import Path

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.dbt import building
from ion_pipeline.settings import load_settings


def test_a_name_that_selects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # dbt warns of such a name and succeeds.
    monkeypatch.setattr(building, "run", lambda *_, **__: dbt.BuildReport((), 0.0))
    settings = load_settings(environment="embedded", data_dir=tmp_path, duckdb_memory_limit="256MB")
    with pytest.raises(SettingsError, match="No model, seed or test has the name abom_lins or runz"):
        dbt.build(settings, select=["abom_lins", "runz"])
    assert dbt.build(settings).nodes == ()
