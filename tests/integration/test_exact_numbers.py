"""Numbers that are longer than a double's, and bodies that are not JSON, from a tenant over a socket to `raw`.

The sandbox writes valid JSON only. So the world holds placeholders, which a proxy replaces by the bytes of the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.client import NotJsonError, UnexpectedAnswerError
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import steps
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.sandbox.world import write_world
from ion_pipeline.settings import Settings
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import LONG_AGO, PAGE, serving, small_factory

pytestmark = pytest.mark.slow

ATTRIBUTE, QUANTITY = 4_100_000_007, 5_100_000.5
# As the sandbox writes them.
STAND_INS = {"attribute": str(ATTRIBUTE).encode(), "quantity": str(QUANTITY).encode()}


@dataclass
class Front:
    """A proxy in front of the tenant.

    Attributes:
        app: The tenant.
        bytes_of: What to send in place of the placeholders.
        before: What to send before each body.
        spoiled: Answers that were changed.
    """

    app: Any
    bytes_of: dict[bytes, bytes] = field(default_factory=dict)
    before: bytes = b""
    spoiled: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != "/graphql":
            await self.app(scope, receive, send)
            return
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def spoiling(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = self._spoil(b"".join(parts))
                headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
                await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, spoiling)

    def _spoil(self, body: bytes) -> bytes:
        whole = body
        for stand_in, content in self.bytes_of.items():
            whole = whole.replace(stand_in, content)
        self.spoiled += whole != body
        return self.before + whole


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, SandboxAddress]]:
    folder, world = tmp_path_factory.mktemp("numbers") / "world", small_factory()
    stamp = {"Created": LONG_AGO, "Updated": LONG_AGO}
    world.tables["parts"][6]["attributes"] = [{"key": "mass", "value": ATTRIBUTE, **stamp}]
    world.tables["partInventories"][2]["quantity"] = QUANTITY
    write_world(world, folder)
    front = Front(build_app(SandboxOptions(world=folder, profile="today"), "a secret").asgi)
    with serving(front) as address:
        yield front, address


@pytest.fixture
def front(served: tuple[Front, SandboxAddress]) -> Front:
    front, _ = served
    front.bytes_of, front.before, front.spoiled = {}, b"", 0
    return front


@pytest.fixture
def settings(served: tuple[Front, SandboxAddress], tmp_path: Path) -> Settings:
    """Where nothing has been read yet."""
    return settings_for(served[1], tmp_path, entities=("parts", "part_inventories"), page_size=PAGE)


def put(front: Front, **values: bytes) -> None:
    """Send these in place of the placeholders."""
    front.bytes_of = {STAND_INS[name]: content for name, content in values.items()}


def read(settings: Settings) -> tuple[Any, ...]:
    """Refresh `raw`: the attribute's text in it, and the quantity."""
    steps.extract(settings)
    steps.load(settings)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        (row,) = connection.execute(
            "select a.value, i.quantity from raw.part_attributes as a, raw.part_inventories as i"
            " where (a.part_id, a.key) = (70, 'mass') and i.id = 30"
        ).fetchall()
    return row


@pytest.mark.parametrize(
    ("attribute", "quantity", "double"),
    [
        (b"123456789012345678901234567890", b"0.1234567890123456789", 0.12345678901234568),
        (b"0.1234567890123456789", b"123456789012345680000", 1.2345678901234568e20),
        (b"1e400", b"9007199254740994", 9007199254740994.0),
        (b'{"deep": [-1e-400, 0.30000000000000004, 18446744073709551616]}', b"100", 100.0),
    ],
)
def test_every_digit_reaches_a_json_column(
    front: Front, settings: Settings, attribute: bytes, quantity: bytes, double: float
) -> None:
    put(front, attribute=attribute, quantity=quantity)
    assert read(settings) == (attribute.decode().replace(" ", ""), double)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        (b"9007199254740993", "a whole number that a double cannot hold"),
        (b"12345678901234567890123", "a whole number that a double cannot hold"),
        (b"1e400", "out of range for double"),
        (b"-1e-400", "out of range for double"),
    ],
)
def test_what_a_double_cannot_hold_is_refused_with_its_row(
    front: Front, settings: Settings, quantity: bytes, reason: str
) -> None:
    put(front, quantity=quantity)
    with pytest.raises(UnexpectedAnswerError) as refusal:
        steps.extract(settings)
    assert f"part_inventories: field quantity of id 30 is {reason}; ION's schema says Float" in str(refusal.value)
    assert Lake(settings.lake_dir).load_ids() == []


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        (b"NaN", "NaN or an infinity"),
        (b"-Infinity", "NaN or an infinity"),
        (b'"\\ud83d"', "half a surrogate pair, which is not a character,"),
        (b'"Codename Heron \xff"', "a byte that is not UTF-8"),
    ],
)
def test_a_body_that_is_not_json_is_asked_for_once_and_names_its_row(
    front: Front, settings: Settings, attribute: bytes, said: str
) -> None:
    put(front, attribute=attribute)
    with pytest.raises(NotJsonError) as refusal:
        steps.extract(settings)
    assert f"ION's answer to parts, page 1 is complete, but it is not valid JSON: {said} at byte " in str(refusal.value)
    assert "(edge 7, field attributes, id 70)" in str(refusal.value)
    assert "Heron" not in str(refusal.value)
    assert front.spoiled == 1


def test_a_byte_order_mark_changes_nothing(front: Front, settings: Settings) -> None:
    front.before = b"\xef\xbb\xbf"
    assert read(settings) == (str(ATTRIBUTE), QUANTITY)
