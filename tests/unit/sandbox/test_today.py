"""Today's ION: what it computes, by facts planted here, and what its roots answer."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.sandbox.changes import Changes
from ion_pipeline.sandbox.computed import Computed
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.factory import add_today
from ion_pipeline.sandbox.load import Writer, load_world
from ion_pipeline.sandbox.model import known_model, today_model
from ion_pipeline.sandbox.profiles import served_schema
from ion_pipeline.sandbox.world import World, WorldError, check_world, read_world, write_world
from tests.unit.sandbox.asking import ask, errors, ids
from tests.unit.sandbox.factory_worlds import digest, small_factory

STAMPS = {"_created": "2026-03-01T08:00:00Z", "_updated": "2026-03-01T08:00:00Z"}
#: What is known of a unit, its status by the older manual, and by the newer one (ION's manual; compared by hand).
UNITS: list[tuple[dict[str, Any], str, str]] = [
    ({"quantity": 1}, "AVAILABLE", "AVAILABLE"),
    ({"quantity": 0, "quantityInstalled": 1}, "AVAILABLE", "INSTALLED"),
    ({"quantity": 0}, "AVAILABLE", "UNAVAILABLE"),
    ({"quantity": 0, "quantityScrapped": 1}, "SCRAPPED", "SCRAPPED"),
    ({"quantity": 2, "quantityInstalled": 2}, "INSTALLED", "INSTALLED"),
    ({"quantity": 2, "quantityInstalled": 1}, "AVAILABLE", "AVAILABLE"),
    ({"quantity": 1, "quantityKitted": 1}, "KITTED", "KITTED"),
    ({"quantity": 1, "quantityKitted": 1, "run": "IN_PROGRESS"}, "KITTED", "WIP"),
    ({"quantity": 1, "run": "COMPLETE"}, "AVAILABLE", "AVAILABLE"),
    ({"quantity": 1, "received": False}, "ON_ORDER", "ON_ORDER"),
    ({"quantity": 1, "locationId": 2}, "UNAVAILABLE", "UNAVAILABLE"),
    ({"quantity": 1, "unavailable": True}, "UNAVAILABLE", "UNAVAILABLE"),
    ({"quantity": 1, "disposition": 1}, "AVAILABLE", "AVAILABLE"),  # can be used at once
    ({"quantity": 1, "disposition": 2}, "AVAILABLE", "UNAVAILABLE"),  # until the issue is resolved
    ({"quantity": 1, "disposition": 2, "issue": "RESOLVED"}, "AVAILABLE", "AVAILABLE"),
    ({"quantity": 1, "disposition": 3, "issue": "RESOLVED"}, "AVAILABLE", "UNAVAILABLE"),  # permanently
    ({"quantity": 1, "disposition": None}, "AVAILABLE", "AVAILABLE"),
    ({"quantity": 1}, "KITTED", "KITTED"),  # follows from nothing here: the world's own
]
LINES: list[tuple[str, list[tuple[str, int]], str]] = [
    ("DRAFT", [("DRAFT", 0)], "DRAFT"),
    ("REQUESTED", [("REQUESTED", 0), ("CANCELED", 0)], "IN_REVIEW"),
    ("APPROVED", [("APPROVED", 0)], "APPROVED"),
    ("ORDERED", [("ORDERED", 0), ("ORDERED", 0)], "ORDERED"),
    ("ORDERED", [("ORDERED", 0), ("RECEIVED", 5)], "PARTIALLY_RECEIVED"),
    ("ORDERED", [("ORDERED", 2)], "PARTIALLY_RECEIVED"),
    ("RECEIVED", [("RECEIVED", 5), ("CANCELED", 0)], "RECEIVED"),
    ("CANCELED", [("CANCELED", 0)], "CANCELED"),
    ("DRAFT", [], "DRAFT"),
]


def world() -> World:
    tables: dict[str, list[dict[str, Any]]] = {
        "partInventories": [],
        "runs": [],
        "issues": [],
        "issuePartInventories": [],
        "purchaseOrders": [],
        "purchaseOrderLines": [],
        "locations": [{"id": 1, "available": True}, {"id": 2, "available": False}],
        "issueDispositionTypes": [
            {"id": 1, "title": "Use as is", "inventoryAvailability": "AVAILABLE"},
            {"id": 2, "title": "Rework", "inventoryAvailability": "RELEASED_ON_RESOLUTION"},
            {"id": 3, "title": "Scrap", "inventoryAvailability": "PERMANENTLY_UNAVAILABLE"},
        ],
        "buildRequirements": [{"id": 1, "partInventories": [{"id": 1}, {"id": 2}]}, {"id": 2, "partInventories": []}],
        "runSteps": [
            {"id": 1, "status": "COMPLETE", "sessions": [{"id": 7, "checkIn": "2026-03-01T08:00:00Z"}]},
            {"id": 2, "sessions": [{"id": 9, "checkIn": "2026-03-02T08:00:00Z"}, {"id": 10}]},
        ],
    }
    for number, (facts, status, _) in enumerate(UNITS, 1):
        given = {name: value for name, value in facts.items() if name not in {"run", "disposition", "issue"}}
        tables["partInventories"].append(
            {"id": number, **STAMPS, "status": status, "quantityAvailable": 1, "locationId": 1, **given}
        )
        if "run" in facts:
            tables["runs"].append({"id": number, "partInventoryId": number, "status": facts["run"]})
        if "disposition" in facts:
            tables["issues"].append(
                {
                    "id": number,
                    "issueDispositionTypeId": facts["disposition"],
                    "status": facts.get("issue", "IN_PROGRESS"),
                }
            )
            tables["issuePartInventories"].append({"issueId": number, "partInventoryId": number})
    for number, (status, lines, _) in enumerate(LINES, 1):
        tables["purchaseOrders"].append({"id": number, "status": status})
        for state, received in lines:
            line = len(tables["purchaseOrderLines"]) + 1
            tables["purchaseOrderLines"].append(
                {
                    "id": line,
                    "purchaseOrderId": number,
                    "status": state,
                    "quantity": 5,
                    "receivedQuantity": received,
                }
            )
    return World(tables=tables)


@pytest.fixture
def tenant() -> tuple[Engine, Changes]:
    given = world()
    check_world(given, today_model())
    store = load_world(given, model=today_model())
    computed = Computed(store)
    computed.begin()
    return Engine(store, served_schema("today")), Changes(Writer(store), computed)


def nodes(engine: Engine, root: str, fields: str) -> list[dict[str, Any]]:
    found = ask(engine, f"{{ {root}(first: 99) {{ edges {{ node {{ {fields} }} }} }} }}")
    return [edge["node"] for edge in found[root]["edges"]]


def test_the_status_of_inventory_follows_from_the_newer_order(tenant: tuple[Engine, Changes]) -> None:
    found = [row["status"] for row in nodes(tenant[0], "partInventories", "status")]
    assert found == [newer for _, _, newer in UNITS]


def test_a_disposition_changes_units_that_show_no_change(tenant: tuple[Engine, Changes]) -> None:
    engine, changes = tenant
    held = UNITS.index(({"quantity": 1, "disposition": 2}, "AVAILABLE", "UNAVAILABLE"))
    fields = "id status quantityAvailable _updated _etag"
    before = nodes(engine, "partInventories", fields)
    assert (before[held]["status"], before[held]["quantityAvailable"]) == ("UNAVAILABLE", 0)
    changes.post([{"op": "update", "entity": "issueDispositionTypes", "id": 2,
                   "values": {"inventoryAvailability": "AVAILABLE"}}])  # fmt: skip
    after = nodes(engine, "partInventories", fields)
    assert after[held] == before[held] | {"status": "AVAILABLE", "quantityAvailable": 1}
    assert [row for row in after if row not in before] == [after[held]]
    changes.post([{"op": "update", "entity": "issueDispositionTypes", "id": 2,
                   "values": {"inventoryAvailability": "RELEASED_ON_RESOLUTION"}}])  # fmt: skip
    assert nodes(engine, "partInventories", fields) == before
    # The issue releases it, too; and what a user sets stays.
    changes.post([{"op": "update", "entity": "issues", "id": held + 1, "values": {"status": "RESOLVED"}}])
    assert nodes(engine, "partInventories", fields)[held]["status"] == "AVAILABLE"
    changes.post([{"op": "update", "entity": "partInventories", "id": held + 1, "values": {"status": "KITTED"}}])
    assert nodes(engine, "partInventories", fields)[held]["status"] == "KITTED"


def test_the_status_of_an_order_follows_from_its_lines(tenant: tuple[Engine, Changes]) -> None:
    engine, changes = tenant
    found = [row["status"] for row in nodes(engine, "purchaseOrders", "status")]
    assert found == [newer for _, _, newer in LINES]
    lines = {row["status"] for row in nodes(engine, "purchaseOrderLines", "status")}
    assert lines == {"DRAFT", "ORDERED", "RECEIVED", "CANCELED"}
    changes.post([{"op": "update", "entity": "purchaseOrderLines", "id": 5,
                   "values": {"status": "RECEIVED", "receivedQuantity": 5}}])  # fmt: skip
    assert nodes(engine, "purchaseOrders", "status")[3]["status"] == "PARTIALLY_RECEIVED"


def test_sessions_are_the_same_rows_at_their_root_and_in_their_steps(tenant: tuple[Engine, Changes]) -> None:
    engine, changes = tenant
    fields = "id runStepId _etag checkIn"

    def nested() -> list[dict[str, Any]]:
        return [row for step in nodes(engine, "runSteps", f"sessions {{ {fields} }}") for row in step["sessions"]]

    before = nested()
    assert [row["id"] for row in before] == [7, 9, 10]
    assert nodes(engine, "sessions", fields) == before
    steps = nodes(engine, "runSteps", "id _updated _etag")
    changes.post([{"op": "update", "entity": "sessions", "id": 7, "values": {"checkIn": "2026-03-01T09:00:00Z"}}])
    after = nodes(engine, "sessions", fields)
    assert after == nested()
    assert after[1:] == before[1:]
    assert after[0]["_etag"] != before[0]["_etag"]
    assert nodes(engine, "runSteps", "id _updated _etag") == steps
    by_step = "{ sessions(first: 9, filters: {id: {gt: 7, lte: 9}, runStepId: {eq: 2}}) { edges { node { id } } } }"
    assert ids(ask(engine, by_step)["sessions"]) == [9]


def test_the_links_of_units_to_their_requirements(tenant: tuple[Engine, Changes]) -> None:
    engine, changes = tenant
    fields = "partInventoryId buildRequirementId"
    assert nodes(engine, "partInventoryBuildRequirements", fields) == [
        {"partInventoryId": 1, "buildRequirementId": 1},
        {"partInventoryId": 2, "buildRequirementId": 1},
    ]
    changes.post([{"op": "update", "entity": "buildRequirements", "id": 1, "values": {"partInventories": [{"id": 2}]}}])
    assert nodes(engine, "partInventoryBuildRequirements", fields) == [{"partInventoryId": 2, "buildRequirementId": 1}]


def test_generation_1_is_gone(tenant: tuple[Engine, Changes]) -> None:
    assert "Cannot query field 'abomItems'" in errors(tenant[0], "{ abomItems(first: 1) { edges { node { id } } } }")[0]


def test_the_factorys_world_of_today(tmp_path: Path) -> None:
    before, given = digest(small_factory()), deepcopy(small_factory())
    add_today(given)
    check_world(given, today_model())
    truths, steps = given.truths["today"], {row["id"]: row for row in given.tables["runSteps"]}
    depth, at = 0, truths["deep_run_steps"][-1]
    while at is not None:
        depth, at = depth + 1, steps[at]["parentId"]
    assert depth == 5
    line = next(row for row in given.tables["purchaseOrderLines"] if row["id"] == truths["line_in_boxes"])
    (link,) = line["partInventories"]
    unit = next(row for row in given.tables["partInventories"] if row["id"] == link["id"])
    assert (line["quantity"], unit["quantity"]) == (2, 200)
    assert line["unitOfMeasureId"] != unit["unitOfMeasureId"]
    assert {row["status"] for row in given.tables["furtherActions"]} == {
        "IN_PROGRESS",
        "IN_REVIEW",
        "RESOLVED",
        "CANCELED",
    }
    assert len(given.tables["supplierParts"]) == len(truths["supplier_parts"]) > 1
    handles = [row["entityId"] for table in given.tables.values() for row in table if row.get("entityId")]
    known = [row["entityId"] for table in small_factory().tables.values() for row in table if row.get("entityId")]
    assert len(handles) - len(set(handles)) == len(known) - len(set(known))
    # It is a world on disk like any other, but not one that the shipped schema could describe.
    write_world(given, tmp_path / "today")
    found = read_world(tmp_path / "today", today_model()).tables
    assert [row["title"] for row in found["furtherActions"]] == [row["title"] for row in given.tables["furtherActions"]]
    assert {root: len(rows) for root, rows in found.items()} == given.truths["rows"]
    with pytest.raises(WorldError, match=r"furtherActions|inventoryAvailability"):
        read_world(tmp_path / "today", known_model())
    assert digest(small_factory()) == before
