"""The receiver's pieces: signature, body, rate, and the names of what changed."""

import base64
import hashlib
import hmac

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.catalog import known_catalog
from ion_pipeline.webhooks import ALGORITHMS, Event, MalformedEventError, entities_named, is_signed, parse
from ion_pipeline.webhooks.rate import TokenBucket

BODY, SECRET = b'{"event_id": "e1", "resource": "parts"}', "s3cret"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signatures_in_every_writing(algorithm: str) -> None:
    digest = hmac.new(SECRET.encode(), BODY, getattr(hashlib, algorithm)).digest()
    writings = [digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode(), f"{algorithm}={digest.hex()}"]
    for signature in writings:
        assert is_signed(BODY, signature, SECRET, algorithm)  # type: ignore[arg-type]
        assert not is_signed(BODY + b" ", signature, SECRET, algorithm)  # type: ignore[arg-type]
        assert not is_signed(BODY, signature, "another", algorithm)  # type: ignore[arg-type]


def test_a_published_signature() -> None:
    """RFC 4231, test case 2."""
    body, secret = b"what do ya want for nothing?", "Jefe"
    assert is_signed(body, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", secret)


@given(st.text())
def test_no_made_up_signature_passes_or_raises(signature: str) -> None:
    assert not is_signed(BODY, signature, SECRET)


@pytest.mark.parametrize(
    ("document", "event"),
    [
        ({"event_id": "e1", "resource": "parts", "subscription_id": 7, "more": [1]}, Event("e1", "parts", "7")),
        ({"event_id": 12, "resource": " runs ", "subscription_id": None}, Event("12", "runs", "")),
    ],
)
def test_events(document: dict[str, object], event: Event) -> None:
    assert parse(orjson.dumps(document)) == event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"event_id": "e1"}',
        b'{"event_id": "", "resource": "parts"}',
        b'{"event_id": true, "resource": "parts"}',
        b'{"event_id": {"a": 1}, "resource": "parts"}',
        b'{"event_id": "e\\n1", "resource": "parts"}',
        orjson.dumps({"event_id": "e" * 201, "resource": "parts"}),
        b"\xff\xfe",
    ],
)
def test_what_is_no_event(body: bytes) -> None:
    with pytest.raises(MalformedEventError):
        parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.binary()
    | JSON.map(lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    | st.fixed_dictionaries({"event_id": JSON, "resource": JSON}).map(orjson.dumps)
)
def test_any_body_is_an_event_or_malformed(body: bytes) -> None:
    try:
        event = parse(body)
    except MalformedEventError:
        return
    assert 0 < len(event.event_id) <= 200
    assert event.resource.isprintable()


@given(st.lists(st.floats(0, 0.5), min_size=50, max_size=200))
def test_no_second_lets_through_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    bucket, now, let_in = TokenBucket(per_second=5, burst=10), 100.0, []
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        if wait == 0:
            let_in.append(now)
        else:
            assert 0 < wait <= 0.2
    assert let_in
    for start in let_in:
        assert sum(start <= at <= start + 1 for at in let_in) <= 15


@pytest.mark.parametrize(
    ("resource", "entity"),
    [
        ("parts", "parts"),
        ("part", "parts"),
        ("PARTS_INVENTORY", "part_inventories"),
        ("abom_installations", "abom_installations"),
        ("mbom_item", "mbom_items"),
        ("run_steps_fields", "run_step_fields"),
        ("run_step_sessions", "run_steps"),
        ("parts_attributes", "parts"),
        ("supplier", "suppliers"),
    ],
)
def test_the_entity_of_a_table(resource: str, entity: str) -> None:
    assert entities_named(resource, known_catalog()) == (entity,)


def test_what_is_not_understood_means_everything() -> None:
    assert entities_named("flux_capacitors", known_catalog()) == known_catalog().default_selection
