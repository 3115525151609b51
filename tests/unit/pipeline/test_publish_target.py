"""What keeps a publish from being sent is found before it is made."""

import sys
from pathlib import Path

import pytest

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.pipeline import steps
from ion_pipeline.settings import load_settings
from ion_pipeline.warehouse import MissingDriverError, PublishError

NOBODY = "postgresql://somebody@127.0.0.1:1/none"


class MadeFirstError(Exception):
    """A publish is made."""


@pytest.fixture(autouse=True)
def _no_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(*_: object, **__: object) -> None:
        raise MadeFirstError

    monkeypatch.setattr(steps.warehouse, "publish", publish)


@pytest.mark.parametrize(
    ("to", "error"),
    [
        (NOBODY, PublishError),
        ("postgresql://me@127.0.0.1:1/db?password=hunter2", SettingsError),
        ("no uri", SettingsError),
    ],
)
def test_a_target_is_tried_first(to: str, error: type[IonPipelineError], tmp_path: Path) -> None:
    settings = load_settings(environment="embedded", data_dir=tmp_path)
    with pytest.raises(error) as caught:
        steps.publish(settings, to=to)
    assert "hunter2" not in str(caught.value)


def test_the_driver_is_looked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    for settings, to in (
        (load_settings(environment="embedded", data_dir=tmp_path), NOBODY),
        (load_settings(environment="embedded", data_dir=tmp_path, publish_to=NOBODY), None),
    ):
        with pytest.raises(MissingDriverError, match="not installed"):
            steps.publish(settings, to=to)


def test_a_server_that_is_away_keeps_nothing_from_the_readers_of_files(tmp_path: Path) -> None:
    settings = load_settings(environment="embedded", data_dir=tmp_path, publish_to=NOBODY)
    with pytest.raises(MadeFirstError):
        steps.publish(settings)
