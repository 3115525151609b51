"""What is extracted from the real sandbox over a real socket, against the rows of the world it serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from ion_pipeline.client import AuthError, TransportError
from ion_pipeline.sandbox.server import SandboxAddress, export_world
from tests.integration.support.changing_world import served
from tests.integration.support.extraction import CATALOG, COMPUTED, Extraction, differences
from tests.oracle.world import World, read_world_dir

pytestmark = pytest.mark.slow

# By id and by cursor, with and without lists inside.
SELECTION = (
    "abom_installations",
    "abom_items",
    "build_requirements",
    "issue_part_inventories",
    "part_inventories",
    "parts",
    "run_step_fields",
    "run_steps",
)
FAULTS: list[list[dict[str, Any]]] = [
    [{"kind": "status", "status": 429, "retry_after": "0", "probability": 0.3}],
    [{"kind": "status", "status": 429, "retry_after": "date:1", "next": 2}],
    [{"kind": "status", "status": 500, "probability": 0.3}],
    [{"kind": "status", "status": 503, "probability": 0.3}],
    [{"kind": "timeout", "timeout_above_first": 40}],
    [{"kind": "drop", "probability": 0.3}],
    [{"kind": "truncate", "probability": 0.3}],
    [{"kind": "not_json", "probability": 0.3}],
    [{"kind": "partial_error", "probability": 0.3}],
    [{"kind": "expire_tokens", "next": 1, "skip": 5}, {"kind": "expire_tokens", "next": 1, "skip": 30}],
    [{"kind": "slow", "seconds": 0.05, "probability": 0.3}],
    [{"kind": "latency", "seconds": 0.02, "probability": 0.3}],
    [{"kind": "status", "status": 503, "endpoint": "token", "next": 2}],
]


def set_faults(address: SandboxAddress, *rules: dict[str, Any]) -> None:
    httpx.post(f"{address.api_url}/_sandbox/faults", json={"seed": 1, "rules": list(rules)}).raise_for_status()


@pytest.fixture(scope="module")
def world_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world")
    export_world(directory, seed=7, scale=0.1)
    return directory


@pytest.fixture(scope="module")
def world(world_dir: Path) -> World:
    return read_world_dir(world_dir)


@pytest.fixture(scope="module")
def sandbox(world_dir: Path) -> Iterator[SandboxAddress]:
    with served(world_dir, "full") as address:
        yield address


@pytest.fixture(scope="module")
def todays(world_dir: Path) -> Iterator[SandboxAddress]:
    with served(world_dir, "today") as address:
        yield address


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in {"sandbox", "todays"} & set(request.fixturenames):
        set_faults(request.getfixturevalue(name))


def test_every_row_and_value_of_every_entity(sandbox: SandboxAddress, world: World) -> None:
    read = Extraction(sandbox)
    assert {result.status for result in read.results.values()} == {"read"}
    assert differences(world, read) == []
    for entity in CATALOG.entities.values():
        result = read.results[entity.name]
        assert result.total_count == len(world.get(entity.root_field, [])) == result.tables[entity.name]
        assert result.watermark is not None
    assert read.heard.notes == []


@pytest.mark.parametrize(
    ("profile", "without", "absent"),
    [
        ("no-root-abom", frozenset(), set()),
        pytest.param("no-updated-filter", frozenset(), set(), marks=pytest.mark.exhaustive),
        pytest.param("no-keyset", frozenset(), set(), marks=pytest.mark.exhaustive),
        ("missing-fields", frozenset({"Part.leadTime", "RunStep.hashCode"}), set()),
        ("generation-1", frozenset(), {"build_requirements", "abom_installations"}),
        pytest.param("generation-2", frozenset(), {"abom_items", "abom_edges"}, marks=pytest.mark.exhaustive),
    ],
)
def test_every_kind_of_tenant_gives_the_same_rows(
    profile: str, without: frozenset[str], absent: set[str], world_dir: Path, world: World
) -> None:
    with served(world_dir, profile) as address:
        read = Extraction(address)
    assert {name for name, result in read.results.items() if result.status == "absent"} == absent
    assert differences(world, read, without=without) == []
    missing = {field for result in read.results.values() for field in result.drift.missing}
    assert missing == without
    if profile == "no-root-abom":
        assert read.results["build_requirements"].paging == "nested"
        assert read.tables.rows["abom_installations"]
    if profile == "no-keyset":
        assert {result.paging for result in read.results.values()} == {"cursor"}


@pytest.mark.parametrize(
    ("profile", "rules"),
    [(("full", "today")[number % 2], rules) for number, rules in enumerate(FAULTS)],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value[0].values())),
)
def test_nothing_is_lost_or_doubled_under_faults(
    profile: str, rules: list[dict[str, Any]], request: pytest.FixtureRequest, world: World
) -> None:
    is_today = profile == "today"
    address = request.getfixturevalue("todays" if is_today else "sandbox")
    set_faults(address, *rules)
    read = Extraction(address, selection=SELECTION, page_size=50)
    assert sum(rule["fired"] for rule in httpx.get(f"{address.api_url}/_sandbox/faults").json()) >= 2
    unread = {name for name, result in read.results.items() if result.status != "read"}
    assert unread == ({"abom_items"} if is_today else set())
    assert ("run_step_sessions" in read.results) is is_today
    assert differences(world, read, without=COMPUTED if is_today else frozenset()) == []


def test_no_signed_link_gets_through(todays: SandboxAddress, world_dir: Path) -> None:
    planted = sum(file.read_text(encoding="utf-8").count("X-Amz-Signature") for file in world_dir.glob("*.ndjson"))
    assert planted >= 15
    read = Extraction(todays)
    assert "X-Amz-Signature" not in repr(read.tables.rows)


def test_a_forbidden_entity_is_reported_and_the_rest_is_read(world_dir: Path, world: World) -> None:
    with served(world_dir, "today", forbid=("issues", "runs")) as address:
        read = Extraction(address)
    forbidden = {name for name, result in read.results.items() if result.status == "forbidden"}
    assert forbidden == {"issues", "runs"}
    assert len(read.heard.notes) == 2
    assert "User does not have permission to" in read.heard.notes[0]
    assert differences(world, read, without=COMPUTED) == []


def test_text_of_every_kind_survives(tmp_path: Path) -> None:
    texts = [
        "", " ", "\n\r\n\t", "a\x00b", "Ångström µ Ω 直径 🚀", "e\u0301", "\u202eright to left", "\ufeffmark", "NULL",
        '"quoted" \\ back\\slash', "x" * 2**20, "\U0010ffff\u2028", None,
    ]  # fmt: skip
    parts = [
        {
            "id": number, "partNumber": f"P-{number}", "revision": "A", "description": text, "createdById": 1,
            "updatedById": 1, "entityId": number, "_created": "2026-03-01T08:15:00.123456+00:00",
            "attributes": [{"key": "note", "type": "STRING", "value": text, "createdById": 1, "updatedById": 1,
                            "Etag": "e", "partId": number}],
        }
        for number, text in enumerate(texts, 1)
    ]  # fmt: skip
    user = {"id": 1, "name": "Ada", "email": "ada@factory.example", "organizationId": 1, "entityId": 99}
    for name, rows in {"parts": parts, "users": [user]}.items():
        (tmp_path / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with served(tmp_path, "today") as address:
        read = Extraction(address, page_size=3)
    assert [row["description"] for row in read.tables.rows["parts"]] == texts
    values = [row["value"] for row in read.tables.rows["part_attributes"]]
    assert [value and json.loads(value) for value in values] == texts


def test_a_wrong_secret_is_one_clear_error(todays: SandboxAddress) -> None:
    with pytest.raises(AuthError, match=r"refuses the API key.*ION_CLIENT_ID"):
        Extraction(todays, client_secret=SecretStr("wrong-secret"))


def test_an_unreachable_host_is_one_clear_error(todays: SandboxAddress) -> None:
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1 failed.*ION_API_URL"):
        Extraction(todays, api_url="http://127.0.0.1:1")


def test_requests_and_bytes_agree_with_the_sandboxs_own_count(todays: SandboxAddress) -> None:
    httpx.post(f"{todays.api_url}/_sandbox/stats/reset").raise_for_status()
    read = Extraction(todays)
    counted = httpx.get(f"{todays.api_url}/_sandbox/stats").json()
    stats = read.client.stats
    assert (stats.requests, stats.token_requests, stats.bytes) == (
        counted["requests"],
        counted["token_requests"],
        counted["bytes"],
    )
    # All but the introspection belong to an entity.
    assert sum(result.requests for result in read.results.values()) == stats.requests - 1
