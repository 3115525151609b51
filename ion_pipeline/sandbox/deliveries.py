"""Delivers events of changes to a receiver, as ION's webhooks do (vendor manual: webhooks).

Each changed row is one event, sent after the change, with the table's name in the singular and lower case, and numbers
as ids. The body is signed with the secret that is shared with the receiver. An event that gets another answer than 2xx
is sent again, a few times, after pauses that double.
"""

import asyncio
import hashlib
import hmac
import itertools
import sys
from collections.abc import Sequence
from typing import Any

import httpx
import orjson

from ion_pipeline.catalog.naming import column_name, singular

_ATTEMPTS = 5
_SUBSCRIPTION = 1
_TIMEOUT = httpx.Timeout(10)


class Deliveries:
    """Events that wait for their delivery.

    Attributes:
        failed: How many events were given up.
    """

    def __init__(self, url: str, secret: str, *, first_pause: float = 1.0) -> None:
        """Begin without events.

        Args:
            url: The receiver's address.
            secret: The secret shared with it.
            first_pause: Seconds before an event is sent the second time.
        """
        self._url, self._secret, self._first_pause = url, secret.encode(), first_pause
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._ids = itertools.count(1)
        self.failed = 0

    def add(self, changes: Sequence[dict[str, Any]]) -> None:
        """Add an event for each changed row.

        Args:
            changes: Changes as they are posted to the sandbox, with the root connection as `entity`.
        """
        for change in changes:
            event = {
                "event_id": next(self._ids),
                "subscription_id": _SUBSCRIPTION,
                "resource": singular(column_name(change["entity"])),
            }
            self._waiting.put_nowait(orjson.dumps(event))

    async def deliver(self) -> None:
        """Send events in the order of the changes, until cancelled."""
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            while True:
                body = await self._waiting.get()
                if not await self._is_delivered(client, body):
                    self.failed += 1
                    sys.stderr.write(f"The event {orjson.loads(body)['event_id']} was not accepted at {self._url}.\n")
                self._waiting.task_done()

    async def all_sent(self) -> None:
        """Wait until no event waits."""
        await self._waiting.join()

    async def _is_delivered(self, client: httpx.AsyncClient, body: bytes) -> bool:
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-ion-signature": signature}
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._first_pause * 2 ** (attempt - 1))
            try:
                answer = await client.post(self._url, content=body, headers=headers)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return True
        return False
