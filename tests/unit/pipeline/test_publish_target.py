"""What keeps a publish from being sent is found before it is made; a place that is away keeps nothing from readers."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from ion_pipeline.cli import app
from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.pipeline import status, steps, target
from ion_pipeline.pipeline.dbt import building
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.status import is_published_current
from ion_pipeline.publish import MissingDriverError, PublishError
from ion_pipeline.settings import Settings, load_settings

NOBODY = "postgresql://somebody@127.0.0.1:1/none"


class MadeFirstError(Exception):
    """A publish is made."""


class Notes(NullReporter):
    """Keeps what a person should know."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, message: str) -> None:
        self.heard.append(message)


@pytest.fixture
def no_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(*_: object, **__: object) -> None:
        raise MadeFirstError

    monkeypatch.setattr(steps.publishing, "publish", publish)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """A warehouse that can be published, and a lake whose one load it shows."""

    class Committed:
        committed_at = datetime(2026, 1, 1, tzinfo=UTC)

    class OneLoad:
        def __init__(self, _: Settings) -> None:
            """Wherever it is."""

        def load_ids(self) -> list[str]:
            return ["1"]

        def read_manifest(self, _: str) -> type[Committed]:
            return Committed

    monkeypatch.setattr(status, "open_lake", OneLoad)
    monkeypatch.setattr(steps, "analyst_macros", list)
    (tmp_path / "data").mkdir()
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb")) as connection:
        connection.execute("create schema reference; create table reference.parts as select 1 as id")

    def settings(**values: Any) -> Settings:
        return load_settings(
            environment="embedded", data_dir=tmp_path / "data", duckdb_memory_limit="256MB", duckdb_threads=1, **values
        )

    return settings


@pytest.mark.usefixtures("no_publish")
@pytest.mark.parametrize(
    ("to", "error"),
    [
        (NOBODY, PublishError),
        ("postgresql://me@127.0.0.1:1/db?password=hunter2", SettingsError),
        ("no uri", SettingsError),
    ],
)
def test_a_target_that_is_asked_for_is_tried_first(to: str, error: type[IonPipelineError], tmp_path: Path) -> None:
    settings = load_settings(environment="embedded", data_dir=tmp_path)
    with pytest.raises(error) as caught:
        steps.publish(settings, to=to)
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("no_publish")
@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me@127.0.0.1:x/db",
        "postgresql://me@127.0.0.1:99999/db",
        "postgresql://me@127.0.0.1:1/db?no_such_option=1",
        "postgresql://me@127.0.0.1:1/db?sslmode=no_such_mode",
        "ftp://host/folder",
        "s3://bucket/prefix?no_such_option=1",
    ],
)
def test_a_target_that_can_never_be_sent_to_is_refused_before_anything_is_done(uri: str, tmp_path: Path) -> None:
    settings = load_settings(environment="embedded", data_dir=tmp_path, publish_to=uri)
    with pytest.raises(SettingsError, match=rf"^The target {uri.partition('?')[0].replace('me@', '')} cannot be used"):
        steps.publish(settings)


@pytest.mark.usefixtures("no_publish")
def test_the_driver_is_looked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    for settings, to in (
        (load_settings(environment="embedded", data_dir=tmp_path), NOBODY),
        (load_settings(environment="embedded", data_dir=tmp_path, publish_to=NOBODY), None),
    ):
        with pytest.raises(MissingDriverError, match="not installed"):
            steps.publish(settings, to=to)


@pytest.mark.parametrize(
    ("module", "variable", "value"),
    [
        ("adbc_driver_postgresql.dbapi", "ION_PUBLISH_TO", NOBODY),
        ("deltalake", "ION_PUBLISH_FORMAT", "parquet,delta"),
    ],
)
def test_a_refresh_without_the_driver_reads_nothing(
    module: str, variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("dbt was started")

    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(building, "run", run)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(app, ["refresh"])
    assert isinstance(result.exception, MissingDriverError)
    assert result.exception.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_publish_lacks_a_format_until_it_is_published_with_it(built: Callable[..., Settings]) -> None:
    as_before, with_delta = built(), built(publish_format="delta, parquet")
    assert steps.publish(as_before).delta_versions is None
    assert is_published_current(as_before)
    assert not is_published_current(with_delta)
    assert steps.publish(with_delta).delta_versions == 1
    assert is_published_current(with_delta)
    assert not is_published_current(as_before)


@pytest.mark.usefixtures("no_publish")
def test_an_unavailable_server_is_reported_first_and_does_not_prevent_the_publish(tmp_path: Path) -> None:
    notes = Notes()
    settings = load_settings(environment="embedded", data_dir=tmp_path, publish_to=NOBODY)
    with pytest.raises(MadeFirstError):
        steps.publish(settings, reporter=notes)
    [note] = notes.heard
    assert note.startswith("ION_PUBLISH_TO: PostgreSQL at postgresql://127.0.0.1:1/none reports an error")


def test_what_could_not_be_sent_is_an_error_and_is_sent_by_the_next_refresh_with_nothing_new(
    built: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = built(publish_to=NOBODY)
    with pytest.raises(target.NotSentError, match="is published, but was not sent: PostgreSQL") as failure:
        steps.publish(away)
    assert failure.value.exit_code == 1
    assert "The next refresh sends it." in failure.value.remedy
    with duckdb.connect(str(failure.value.report.database), read_only=True) as connection:
        assert connection.execute("select id from reference.parts").fetchall() == [(1,)]
    # Readers of the files have all of it; readers of the target do not.
    assert is_published_current(built())
    assert not is_published_current(away)
    back = built(publish_to=f"file://{tmp_path}/there")
    assert not is_published_current(back)
    sent = steps.publish(back).sent
    assert sent
    assert (tmp_path / "there" / "latest.json").is_file()
    assert is_published_current(back)
    # Another place has not got it, nor has this one what is published next.
    assert not is_published_current(built(publish_to=f"file://{tmp_path}/elsewhere"))
    steps.publish(built())
    assert not is_published_current(back)


def test_a_target_asked_for_once_is_not_that_of_the_settings(built: Callable[..., Settings], tmp_path: Path) -> None:
    settings = built(publish_to=f"file://{tmp_path}/there")
    steps.publish(settings)
    steps.publish(settings, to=f"file://{tmp_path}/once")
    assert not is_published_current(settings)
