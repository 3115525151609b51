"""Events in the inbox become one run that reads what they name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from ion_pipeline.definitions import build_definitions
from ion_pipeline.settings import load_settings
from ion_pipeline.webhooks import Event, Inbox

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> dg.Definitions:
    folder = tmp_path_factory.mktemp("sensor")
    parsed(folder)
    return build_definitions(load_settings(data_dir=folder, entities=("parts", "users", "suppliers")))


@pytest.fixture
def inbox(definitions: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """An empty inbox that the sensor looks into."""
    path = tmp_path / "webhooks.sqlite"
    monkeypatch.setattr("ion_pipeline.settings.Settings.webhook_inbox", path)
    return Inbox(path)


@pytest.fixture
def look(definitions: dg.Definitions) -> Iterator[object]:
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("webhook_events")
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:

        def once(cursor: str | None) -> object:
            context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
            return sensor.evaluate_tick(context)

        yield once


def test_events_ask_for_what_they_name_once(inbox: Inbox, look: object) -> None:
    assert callable(look)
    nothing = look(None)
    assert (nothing.run_requests, nothing.skip_message) == ([], "No new events.")
    for number, resource in enumerate(["parts", "parts", "runs"]):
        inbox.store(Event(f"e{number}", resource))
    tick = look(None)
    [request] = tick.run_requests
    assert request.tags["ion/entities"] == "parts", "runs are not read here"
    assert look(tick.cursor).run_requests == []

    inbox.store(Event("e1", "parts"))
    assert look(tick.cursor).run_requests == [], "an event that came before is no new one"
    inbox.store(Event("e9", "nobody knows what this is"))
    later = look(tick.cursor)
    assert later.run_requests[0].tags["ion/entities"] == "parts,suppliers,users"
    assert later.run_requests[0].run_key != request.run_key


def test_events_of_what_is_not_read_here_are_passed_over(inbox: Inbox, look: object) -> None:
    assert callable(look)
    inbox.store(Event("e1", "runs"))
    tick = look(None)
    assert tick.run_requests == []
    assert tick.cursor
    assert "no entity that is read" in tick.skip_message
