"""The world of the embedded sandbox stays with the data that was read of it."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.tenant import claim_tenant
from ion_pipeline.pipeline import sandbox_world
from ion_pipeline.pipeline.sandbox_world import keep_world, with_world
from ion_pipeline.settings import Settings, load_settings

DAY, LATER = date(2026, 11, 30), date(2026, 12, 8)


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_world, "today", lambda: DAY)


def embedded(folder: Path, **more: Any) -> Settings:
    return load_settings(environment="embedded", data_dir=folder, **more)


def test_a_new_data_directory_has_a_world_of_today(tmp_path: Path) -> None:
    assert with_world(embedded(tmp_path)).sandbox_today == DAY
    assert list(tmp_path.iterdir()) == [], "only a read keeps the date"


def test_a_later_day_reads_the_same_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = with_world(embedded(tmp_path))
    (tmp_path / "lake" / "_loads").mkdir(parents=True)
    (tmp_path / "lake" / "_loads" / "01M8NPJ441G5ZT70WV60Y3N2WA.json").write_text("{}")
    keep_world(settings)
    monkeypatch.setattr(sandbox_world, "today", lambda: LATER)
    assert with_world(embedded(tmp_path)).sandbox_today == DAY


def test_the_setting_decides_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ION_SANDBOX_TODAY", "2026-12-08")
    settings = with_world(embedded(tmp_path))
    assert settings.sandbox_today == LATER
    keep_world(settings)
    assert with_world(embedded(tmp_path)).sandbox_today == LATER
    monkeypatch.delenv("ION_SANDBOX_TODAY")
    assert with_world(embedded(tmp_path)).sandbox_today == LATER
    with pytest.raises(SettingsError, match="a sandbox's world of 2026-12-08"):
        with_world(embedded(tmp_path, sandbox_today=DAY))


def test_a_world_keeps_its_size_until_another_one_is_asked_for(tmp_path: Path) -> None:
    keep_world(with_world(embedded(tmp_path, sandbox_scale=10.0, sandbox_seed=3)))
    later = with_world(embedded(tmp_path))
    assert (later.sandbox_scale, later.sandbox_seed) == (10.0, 3)
    assert with_world(later).sandbox_scale == 10.0
    keep_world(with_world(embedded(tmp_path, sandbox_scale=1.0)))
    assert with_world(embedded(tmp_path)).sandbox_scale == 1.0


def test_a_date_that_an_earlier_version_kept_has_the_size_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text('{"today": "2026-11-30"}')
    assert with_world(embedded(tmp_path, sandbox_scale=2.0)).sandbox_scale == 2.0
    assert with_world(embedded(tmp_path)).sandbox_scale == 1.0


def test_data_of_an_earlier_version_is_of_its_fixed_world(tmp_path: Path) -> None:
    claim_tenant(tmp_path, 1, "embedded")
    assert with_world(embedded(tmp_path)).sandbox_today == DAY, "its first read was interrupted"
    (tmp_path / "lake" / "_loads").mkdir(parents=True)
    (tmp_path / "lake" / "_loads" / "01M8NPJ441G5ZT70WV60Y3N2WA.json").write_text("{}")
    assert with_world(embedded(tmp_path)).sandbox_today == date(2026, 7, 1)


def test_a_damaged_date_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{}")
    with pytest.raises(LakeCorruptionError, match=re.escape("sandbox.json")):
        with_world(embedded(tmp_path))


def test_other_environments_have_no_world(tmp_path: Path) -> None:
    settings = load_settings(environment="custom", data_dir=tmp_path, tenant=False)
    assert with_world(settings) is settings
    keep_world(settings)
    assert list(tmp_path.iterdir()) == []
