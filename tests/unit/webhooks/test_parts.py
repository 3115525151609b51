"""The parts of the receiver: signature, body, rate limit, and the entities of an event."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.adopt import extended, extended_catalog
from ion_pipeline.catalog.schema import known_schema
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
        (
            {"event_id": 9007199254740993, "resource": "run_step", "subscription_id": 44},
            Event("9007199254740993", "run_step", "44"),
        ),
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
def test_malformed_events(body: bytes) -> None:
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


FILES = (
    "issues", "part_inventories", "part_kit_items", "part_kits", "parts", "plans", "purchase_orders", "receipts",
    "run_steps", "runs", "steps", "suppliers",
)  # fmt: skip
#: The names of ION's schema whose entity is not spelled like them, compared by hand with the schema's types.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "ANALYTICS_CREDENTIALS": (),
    "API_KEYS": (),
    "ABOM_ITEM_REFERENCE_DESIGNATORS": ("abom_items",),
    "CUSTOM_LOGGED_ACTIONS": (),
    "DDL_CAPTURE": (),
    "FILE_ATTACHMENTS": FILES,
    "ISSUES_ATTRIBUTES": ("issues",),
    "LOCATIONS_ATTRIBUTES": ("locations",),
    "LOGGED_ACTIONS": (),
    "MBOMS_ATTRIBUTES": ("mboms",),
    "MBOM_ITEM": ("mbom_items",),
    "MBOM_SUBSTITUTE": ("mbom_substitutes",),
    "ORGANIZATIONS": (),
    "ORIGIN_RUNS": ("runs",),
    "PARTS_INVENTORIES_ATTRIBUTES": ("part_inventories",),
    "PARTS_INVENTORY": ("part_inventories",),
    "PARTS_KITS": ("part_kits",),
    "PART_ATTRIBUTES": ("parts",),
    "PART_KIT_ATTRIBUTES": ("part_kits",),
    "PART_KIT_INVENTORIES": ("part_kit_items",),
    "PART_KIT_ITEM_ATTRIBUTES": ("part_kit_items",),
    "PART_PART_SUBTYPES": ("parts",),
    "PERMISSION_GROUP_ROLES": ("permission_groups",),
    "PERMISSION_PERMISSION_GROUPS": ("permission_groups",),
    "PLAN_ITEM_RESULTS": ("plan_items",),
    "PLAN_PLAN_ITEMS": ("plan_items",),
    "PROCEDURES_ATTRIBUTES": ("procedures",),
    "PROCEDURE_FAMILY_LABELS": ("procedures",),
    "PURCHASE_ORDERS_ATTRIBUTES": ("purchase_orders",),
    "PURCHASE_ORDER_LINES_ATTRIBUTES": ("purchase_order_lines",),
    "PURCHASE_ORDER_LINE_INVENTORIES": ("purchase_order_lines",),
    "RECEIPTS_ATTRIBUTES": ("receipts",),
    "RUNS_ATTRIBUTES": ("runs",),
    "RUN_STEPS_ATTRIBUTES": ("run_steps",),
    "RUN_STEPS_DAGS": ("run_steps",),
    "RUN_STEPS_FIELDS": ("run_step_fields",),
    "RUN_STEP_PART_INVENTORIES": ("run_steps",),
    "SESSION_EVENTS": ("run_steps",),
    "STEPS_ATTRIBUTES": ("steps",),
    "STEPS_DAGS": ("steps",),
    "STEPS_FIELDS": ("step_fields",),
    "SUPPLIERS_ATTRIBUTES": ("suppliers",),
    "TEAM_ROLES": ("teams",),
    "TEAM_USERS": ("teams",),
    "UNITS_OF_MEASUREMENTS": ("units_of_measurement",),
    "USER_ROLES": ("users",),
    "USER_TRANSACTIONS": (),
}
#: Names that only the vendor's manual has: webhooks, and the raw tables of the Data Connector.
IN_THE_MANUAL: dict[str, tuple[str, ...]] = {
    "FILE_ATTACHMENT": FILES,
    "PART_INVENTORY_BUILD_REQUIREMENTS": ("build_requirements",),
    "RUN_STEP": ("run_steps",),
    "SUPPLIER_PARTS": (),
    "abom_installations": ("abom_installations",),
    "build_requirements": ("build_requirements",),
    "part_attributes_base": ("parts",),
    "part_inventory_history": ("part_inventories",),
    "parts_inventories_attributes_base": ("part_inventories",),
    "parts_inventory_rolled_up_costs": ("part_inventories",),
    "run_step_sessions": ("run_steps",),
    " parts_attributes ": ("parts",),
}
RESOURCES = sorted(known_schema().type_map["ResourceEnum"].values)  # type: ignore[attr-defined]


def entity_of(resource: str) -> tuple[str, ...]:
    return ELSEWHERE.get(resource, (resource.lower(),))


def test_every_resource_of_the_schema_names_its_entity() -> None:
    assert len(RESOURCES) == 117
    assert {name: entities_named(name, known_catalog()) for name in RESOURCES} == {
        name: entity_of(name) for name in RESOURCES
    }
    assert set(ELSEWHERE) < set(RESOURCES)


@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_every_resource_in_the_singular_names_the_same(spelled: Callable[[str], str]) -> None:
    irregular = {"ENTITIES": "ENTITY", "INVENTORIES": "INVENTORY", "CURRENCIES": "CURRENCY", "BATCHES": "BATCH"}

    def one(word: str) -> str:
        return irregular.get(word, word.removesuffix("S"))

    for name in RESOURCES:
        *words, last = name.split("_")
        assert entities_named(spelled("_".join([*words, one(last)])), known_catalog()) == entity_of(name), name
        assert entities_named(spelled("_".join(map(one, (*words, last)))), known_catalog()) == entity_of(name), name


def test_the_names_of_the_manual() -> None:
    assert {name: entities_named(name, known_catalog()) for name in IN_THE_MANUAL} == IN_THE_MANUAL


def test_a_table_of_an_adopted_entity() -> None:
    more = "type SupplierPart { id: Int! } type SupplierPartsEdge { node: SupplierPart } "
    more += "type SupplierPartsConnection { edges: [SupplierPartsEdge] } "
    more += "extend type Query { supplierParts: SupplierPartsConnection }"
    catalog = extended_catalog(extended(known_schema(), more))
    assert entities_named("SUPPLIER_PARTS", catalog) == ("supplier_parts",)
    assert entities_named("supplier_part", catalog) == ("supplier_parts",)


def test_an_unknown_table_means_all_entities() -> None:
    assert entities_named("flux_capacitors", known_catalog()) == known_catalog().default_selection
