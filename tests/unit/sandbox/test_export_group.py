"""The answers to a key without the export group: no flagged part, procedure or run anywhere, but every inventory."""

import pytest

from ion_pipeline.sandbox.changes import Changes
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.load import Writer, load_world
from ion_pipeline.sandbox.profiles import WITHHELD, served_schema
from ion_pipeline.sandbox.world import World
from tests.unit.sandbox.asking import ask, errors, ids

PARTS = "{ parts(first: 9) { pageInfo { totalCount } edges { node { id } } } }"


@pytest.fixture
def engine() -> Engine:
    world = World(
        tables={
            "parts": [
                {"id": 1, "partNumber": "PUMP", "exportControlled": True},
                {"id": 2, "partNumber": "BOLT", "exportControlled": False},
                {"id": 3, "partNumber": "NUT"},
            ],
            "partInventories": [{"id": 10 * part, "partId": part, "quantity": 1} for part in (1, 2)],
            "procedures": [{"id": 1, "title": "weld", "exportControlled": True}, {"id": 2, "title": "check"}],
            "runs": [
                {"id": 1, "title": "one", "exportControlled": True, "procedureId": 2, "partId": 2},
                {"id": 2, "title": "two", "procedureId": 1, "partId": 2},
            ],
            "runSteps": [{"id": 5, "runId": 1, "title": "step"}],
        }
    )
    return Engine(load_world(world, WITHHELD["no-export-group"]), served_schema("no-export-group"))


def test_lists_counts_and_ids_have_no_flagged_row(engine: Engine) -> None:
    found = ask(engine, PARTS)["parts"]
    assert (ids(found), found["pageInfo"]["totalCount"]) == ([2, 3], 2)
    by_flag = "{ parts(first: 9, filters: {exportControlled: {eq: true}}) { pageInfo { totalCount } } }"
    assert ask(engine, by_flag)["parts"]["pageInfo"]["totalCount"] == 0
    by_id = "{ parts(first: 9, filters: {id: {in: [1, 2]}}) { pageInfo { totalCount } edges { node { id } } } }"
    assert ids(ask(engine, by_id)["parts"]) == [2]
    assert errors(engine, "{ part(id: 1) { id } }") == ["Part with id 1 was not found."]


def test_inventories_and_steps_are_served_but_lead_to_nothing_flagged(engine: Engine) -> None:
    query = "{ partInventories(first: 9) { edges { node { id partId part { partNumber } } } } }"
    assert [edge["node"] for edge in ask(engine, query)["partInventories"]["edges"]] == [
        {"id": 10, "partId": 1, "part": None},
        {"id": 20, "partId": 2, "part": {"partNumber": "BOLT"}},
    ]
    query = "{ runs(first: 9) { edges { node { id procedureId procedure { title } part { partNumber } } } } }"
    assert [edge["node"] for edge in ask(engine, query)["runs"]["edges"]] == [
        {"id": 2, "procedureId": 1, "procedure": None, "part": {"partNumber": "BOLT"}}
    ]
    query = "{ runSteps(first: 9) { edges { node { id runId run { title } } } } }"
    assert [edge["node"] for edge in ask(engine, query)["runSteps"]["edges"]] == [{"id": 5, "runId": 1, "run": None}]
    query = "{ parts(first: 9, filters: {id: {eq: 2}}) { edges { node { _RunsCount runs { id } } } } }"
    assert ask(engine, query)["parts"]["edges"][0]["node"] == {"_RunsCount": 1, "runs": [{"id": 2}]}


def test_withheld_rows_can_still_be_changed(engine: Engine) -> None:
    changes = Changes(Writer(engine.store))

    def flag(part: int, value: bool) -> None:
        changes.post([{"op": "update", "entity": "parts", "id": part, "values": {"exportControlled": value}}])

    flag(1, True)
    assert ids(ask(engine, PARTS)["parts"]) == [2, 3]
    flag(1, False)
    assert ids(ask(engine, PARTS)["parts"]) == [1, 2, 3]
    flag(2, True)
    changes.post([{"op": "delete", "entity": "parts", "id": 2}])
    assert ids(ask(engine, PARTS)["parts"]) == [1, 3]
    assert not engine.store.tables["Part"].withheld
