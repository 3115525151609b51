"""The receiver as a process, over a real socket: deliveries repeated, out of order, too many, forged, and a kill -9."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ion_pipeline.webhooks import Inbox
from tests.integration.support.webhooks import SECRET, Receiver, running

pytestmark = [pytest.mark.slow]


def test_events_are_kept_once_whatever_the_order_and_however_often(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        deliveries = [f"e{number}" for number in range(20)] * 3
        random.Random(1).shuffle(deliveries)
        answers = [receiver.deliver(event_id).json()["status"] for event_id in deliveries]
        assert (answers.count("stored"), answers.count("known")) == (20, 40)
        assert receiver.ids() == list(dict.fromkeys(deliveries))
        stored = receiver.inbox.after(0)
        assert receiver.inbox.after(stored[14].position) == stored[15:]
        assert receiver.inbox.after(stored[-1].position) == []


def test_what_is_forged_malformed_or_too_large_is_refused_and_not_kept(tmp_path: Path) -> None:
    with running(tmp_path, ION_WEBHOOK_MAX_BYTES="2048") as receiver:
        assert receiver.deliver("e1", signature="0" * 64).status_code == 401
        assert receiver.deliver("e1", signature="").status_code == 401
        assert receiver.post(b"not json").status_code == 400
        assert receiver.post(b"x" * 4096).status_code == 413

        def endless() -> Iterator[bytes]:
            for _ in range(100):
                yield b"y" * 1024

        with contextlib.suppress(httpx.TransportError):
            signature = {"x-ion-signature": "0" * 64}
            answer = httpx.post(f"{receiver.url}/ion/webhooks", content=endless(), headers=signature, timeout=20)
            assert answer.status_code == 413
        assert httpx.get(f"{receiver.url}/ion/webhooks").status_code == 405
        assert receiver.ids() == []
        assert receiver.deliver("e1").status_code == 200
        receiver.process.send_signal(signal.SIGINT)
        out, err = receiver.process.communicate(timeout=30)
    assert SECRET not in out + err
    assert "not json" not in out + err


def test_a_flood_is_told_to_come_again_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with running(tmp_path, ION_WEBHOOK_REQUESTS_PER_SECOND="1") as receiver:
        statuses: dict[str, int] = {}

        def flood(worker: int) -> None:
            for number in range(40):
                answer = receiver.deliver(f"{worker}-{number}")
                statuses[f"{worker}-{number}"] = answer.status_code
                assert answer.status_code == 200 or int(answer.headers["retry-after"]) >= 1

        workers = [threading.Thread(target=flood, args=(worker,)) for worker in range(4)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        assert set(statuses.values()) == {200, 429}
        assert set(receiver.ids()) == {event_id for event_id, status in statuses.items() if status == 200}


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for round_number in range(2):
        with running(tmp_path, ION_WEBHOOK_REQUESTS_PER_SECOND="10000") as receiver:
            enough = threading.Event()

            def kill(receiver: Receiver = receiver, enough: threading.Event = enough) -> None:
                enough.wait(300)
                receiver.process.kill()

            # In a thread, so that deliveries are in flight when it happens.
            killer = threading.Thread(target=kill)
            killer.start()
            for number in range(10_000):
                try:
                    answer = receiver.deliver(f"{round_number}-{number}")
                except httpx.TransportError:
                    break
                assert answer.status_code == 200
                acknowledged.append(f"{round_number}-{number}")
                if number == 50:
                    enough.set()
            killer.join()
    assert len(acknowledged) > 100
    kept = Inbox(tmp_path / "webhooks.sqlite").after(0)
    ids = [stored.event.event_id for stored in kept]
    assert set(acknowledged) <= set(ids)
    assert len(ids) == len(set(ids))
    positions = [stored.position for stored in kept]
    assert positions == sorted(set(positions))


def test_without_a_secret_nothing_is_served(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ION_")}
    finished = subprocess.run(
        [sys.executable, "-m", "ion_pipeline.cli", "webhooks", "serve", "--port", "0"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 2
    assert "ION_WEBHOOK_SECRET" in finished.stderr
