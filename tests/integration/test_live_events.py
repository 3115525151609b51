"""A factory at work sends events that our receiver accepts, and continues where nobody accepts them."""

import asyncio
from pathlib import Path

import pytest

from ion_pipeline.catalog import known_catalog
from ion_pipeline.errors import SettingsError
from ion_pipeline.sandbox.deliveries import Deliveries
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.webhooks import entities_named
from tests.integration.support.webhooks import SECRET, running

pytestmark = pytest.mark.slow

CHANGES = [
    {"op": "update", "entity": "runSteps", "id": 1, "values": {}},
    {"op": "add", "entity": "abomInstallations", "row": {"id": 2}},
    {"op": "delete", "entity": "partInventories", "id": 3},
    {"op": "update", "entity": "runSteps", "id": 4, "values": {}},
]


def sent(deliveries: Deliveries) -> None:
    async def run() -> None:
        deliveries.add(CHANGES)
        task = asyncio.create_task(deliveries.deliver())
        await deliveries.all_sent()
        task.cancel()

    asyncio.run(run())


def test_the_receiver_keeps_an_event_of_each_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as receiver:
        address = f"{receiver.url}/ion/webhooks"
        good, strange = Deliveries(address, SECRET), Deliveries(address, "of somebody else", first_pause=0)
        sent(good)
        sent(strange)
        events = [stored.event for stored in receiver.inbox.after(0)]
    away = Deliveries(address, SECRET, first_pause=0)
    sent(away)
    assert [event.event_id for event in events] == ["1", "2", "3", "4"]
    read = [entities_named(event.resource, known_catalog()) for event in events]
    assert read == [("run_steps",), ("abom_installations",), ("part_inventories",), ("run_steps",)]
    assert (good.failed, strange.failed, away.failed) == (0, 4, 4)
    assert capsys.readouterr().err.count("was not accepted at") == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SandboxOptions(webhooks="http://127.0.0.1:1/x", webhook_secret="s"), "a plant that works"),
        (SandboxOptions(webhooks="http://127.0.0.1:1/x", profile="today", day_minutes=1), "signed with a secret"),
        (SandboxOptions(webhooks="here", webhook_secret="s", profile="today", day_minutes=1), "is not an address"),
    ],
)
def test_events_need_work_a_secret_and_an_address(options: SandboxOptions, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        build_app(options, "secret")
