"""A world that changes while it is served: what a change does, and when."""

from typing import Any

import pytest

from ion_pipeline.sandbox.changes import ChangeError, Changes
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.load import Writer
from ion_pipeline.sandbox.world import World
from tests.unit.sandbox.asking import ask, engine_of, ids

PARTS = """{ parts { edges { node { id partNumber _updated _etag attributes { key value Updated Etag } } } } }"""
OLD = "2026-01-01T00:00:00.000000+00:00"


def served() -> tuple[Engine, Changes]:
    attributes = [{"key": "mass", "value": 1, "Updated": OLD}, {"key": "finish", "value": "zinc", "Updated": OLD}]
    rows: list[dict[str, Any]] = [
        {"id": 1, "partNumber": "A", "_updated": OLD, "attributes": attributes},
        {"id": 2, "partNumber": "B", "_updated": OLD},
    ]
    engine = engine_of(World(tables={"parts": rows, "issuePartInventories": [{"issueId": 1, "partInventoryId": 2}]}))
    return engine, Changes(Writer(engine.store))


def part(engine: Engine, row_id: int) -> dict[str, Any]:
    nodes = [edge["node"] for edge in ask(engine, PARTS)["parts"]["edges"]]
    return next(node for node in nodes if node["id"] == row_id)


def test_rows_are_added_updated_and_deleted() -> None:
    engine, changes = served()
    changes.post(
        [
            {"op": "add", "entity": "parts", "row": {"id": 9, "partNumber": "C", "attributes": [{"key": "k"}]}},
            {"op": "update", "entity": "parts", "id": 1, "values": {"partNumber": "A2"}},
            {"op": "delete", "entity": "parts", "id": 2},
            {"op": "delete", "entity": "issuePartInventories", "id": [1, 2]},
        ]
    )
    assert ids(ask(engine, PARTS)["parts"]) == [1, 9]
    assert part(engine, 1)["partNumber"] == "A2"
    assert part(engine, 1)["_updated"] > OLD
    assert part(engine, 9)["_updated"] == part(engine, 9)["attributes"][0]["Updated"] > OLD
    assert ask(engine, "{ issuePartInventories { pageInfo { totalCount } } }") == {
        "issuePartInventories": {"pageInfo": {"totalCount": 0}}
    }


@pytest.mark.parametrize("touch", [True, False])
def test_a_changed_attribute_updates_its_owner_only_with_touch(touch: bool) -> None:
    engine, changes = served()
    before = part(engine, 1)
    values = {"attributes": [{"key": "mass", "value": 2}]}
    changes.post([{"op": "update", "entity": "parts", "id": 1, "values": values, "touch": touch}])
    after = part(engine, 1)
    assert [(one["key"], one["value"]) for one in after["attributes"]] == [("mass", 2)]
    assert after["attributes"][0]["Updated"] > OLD
    assert ((after["_updated"] > OLD), (after["_etag"] != before["_etag"])) == (touch, touch)
    assert after["partNumber"] == "A"


def test_a_scheduled_change_is_applied_just_before_its_request() -> None:
    engine, changes = served()
    delete = {"op": "delete", "entity": "parts", "id": 2}
    changes.post({"changes": [delete], "before": {"entity": "parts", "request": 2}})
    for asked, left in ((frozenset({"parts"}), [1, 2]), (frozenset({"runs"}), [1, 2]), (frozenset({"parts"}), [1])):
        changes.about_to_answer(asked)
        assert ids(ask(engine, PARTS)["parts"]) == left
    assert changes.waiting == 0


@pytest.mark.parametrize(
    "change",
    [
        {"op": "drop", "entity": "parts", "id": 1},
        {"op": "delete", "entity": "parts"},
        {"op": "delete", "entity": "part", "id": 1},
        {"op": "delete", "entity": "parts", "id": 77},
        {"op": "update", "entity": "parts", "id": 77, "values": {"partNumber": "x"}},
        {"op": "add", "entity": "parts", "row": {"id": 1}},
        {"op": "add", "entity": "parts", "row": {"partNumber": "no id"}},
        {"op": "add", "entity": "parts", "row": {"id": 3, "nonsense": 1}},
    ],
)
def test_malformed_changes_are_refused(change: dict[str, Any]) -> None:
    engine, changes = served()
    with pytest.raises(ChangeError):
        changes.post([change])
    assert ids(ask(engine, PARTS)["parts"]) == [1, 2]
