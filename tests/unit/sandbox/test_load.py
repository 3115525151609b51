"""The defaults of absent fields; a changed store equals a store that is loaded with the changed rows."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.load import Writer, load_world
from ion_pipeline.sandbox.profiles import served_schema
from ion_pipeline.sandbox.world import World, WorldError
from tests.examples import examples
from tests.unit.sandbox.asking import ask, engine_of

SCHEMA = served_schema()


def test_absent_fields_are_null_or_neutral() -> None:
    world = World(
        tables={"partInventories": [{"id": 1}], "users": [{"id": 1}], "mboms": [{"id": 1}]}, organization={"id": 9}
    )
    data = ask(
        engine_of(world),
        """{ partInventories { edges { node {
            id partId quantity serialNumber lotNumber status installed createdById _created _updated part { id } } } }
          users { edges { node { organizationId deactivated organization { id } } } }
          mboms { edges { node { status } } } }""",
    )
    assert data["partInventories"]["edges"][0]["node"] == {
        "id": 1,
        "partId": 0,
        "quantity": 0.0,
        "serialNumber": None,
        "lotNumber": None,
        "status": None,
        "installed": None,
        "createdById": 0,
        "_created": "2025-01-01T00:00:00.000000+00:00",
        "_updated": "2025-01-01T00:00:00.000000+00:00",
        "part": None,
    }
    assert data["users"]["edges"][0]["node"] == {
        "organizationId": 9,
        "deactivated": False,
        "organization": {"id": 9},
    }
    assert data["mboms"]["edges"][0]["node"]["status"] == "DRAFT"


def test_instants_are_served_in_one_form_in_utc() -> None:
    world = World(
        tables={"parts": [{"id": 1, "_created": "2026-03-01T10:15:00+02:00", "_updated": "2026-03-02T00:00:00Z"}]}
    )
    node = ask(engine_of(world), "{ part(id: 1) { _created _updated } }")["part"]
    assert [datetime.fromisoformat(node[name]) for name in ("_created", "_updated")] == [
        datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    ]
    assert len({len(value) for value in node.values()}) == 1


def test_a_missing_etag_follows_from_the_content() -> None:
    def etag(**row: Any) -> Any:
        return ask(engine_of(World(tables={"parts": [{"id": 1} | row]})), "{ part(id: 1) { _etag } }")["part"]["_etag"]

    assert etag(partNumber="A", revision="1") == etag(revision="1", partNumber="A")
    assert etag(partNumber="A") != etag(partNumber="B")
    assert etag(_etag="mine") == "mine"


def test_an_inline_row_of_another_owner_is_refused() -> None:
    with pytest.raises(WorldError, match=r"its partId is 2, but it is inside 1"):
        load_world(World(tables={"parts": [{"id": 1, "attributes": [{"key": "a", "partId": 2}]}]}))


def test_a_file_may_occur_twice_but_not_with_different_content() -> None:
    def holder(row_id: int, name: str) -> dict[str, Any]:
        return {"id": row_id, "_created": "2026-01-01T00:00:00Z", "fileAttachments": [{"id": 5, "filename": name}]}

    data = ask(
        engine_of(World(tables={"parts": [holder(1, "a.pdf"), holder(2, "a.pdf")]})),
        "{ parts { edges { node { fileAttachments { id filename } } } } fileAttachment(id: 5) { filename } }",
    )
    assert [edge["node"]["fileAttachments"] for edge in data["parts"]["edges"]] == [
        [{"id": 5, "filename": "a.pdf"}]
    ] * 2
    assert data["fileAttachment"] == {"filename": "a.pdf"}
    with pytest.raises(WorldError, match="FileAttachment 5 occurs in two places"):
        load_world(World(tables={"parts": [holder(1, "a.pdf"), holder(2, "b.pdf")]}))


EVERYTHING = """{
  parts { pageInfo { totalCount } edges { node { id partNumber attributes { id key value } partSubtypes { id }
    partsInventory { id } _PartsInventoryCount } } }
  partInventories(sort: [SERIAL_NUMBER_DESC]) { edges { node { id serialNumber part { partNumber }
    buildRequirements { id } abomInstallations { id } } } }
  buildRequirements { edges { node { id partInventories { id } referenceDesignators { id value } } } }
  byPart: partInventories(filters: {partId: {in: [1, 2]}}) { edges { node { id } } }
  withMass: parts(filters: {attributes: {key: {eq: "mass"}}}) { edges { node { id } } }
  late: partInventories(filters: {_updated: {gte: "2026-01-15"}}) { edges { node { id } } }
  partSubtypes { edges { node { id parts { id } } } }
}"""


def random_row(root: str, row_id: int, chance: random.Random) -> dict[str, Any]:
    """A row with all columns, including `_etag` and instants, so that rows are comparable after changes."""
    stamps = {"id": row_id, "_etag": str(chance.random()), "_created": "2026-01-01", "_updated": "2026-01-02"}
    attributes = [
        {"key": key, "value": chance.random(), "Etag": "e", "Created": "2026-01-01"}
        for key in chance.sample(["mass", "finish", "color"], chance.randint(0, 3))
    ]
    match root:
        case "parts":
            subtypes = [{"id": one} for one in chance.sample([1, 2], chance.randint(0, 2))]
            return stamps | {"partNumber": str(chance.random()), "attributes": attributes, "partSubtypes": subtypes}
        case "partInventories":
            return stamps | {"partId": chance.randint(1, 4), "serialNumber": chance.choice(["a", "b", None])}
        case _:
            units = [{"id": one} for one in chance.sample([1, 2, 3, 4], chance.randint(0, 3))]
            marks = [{"id": row_id * 10 + n, "value": str(n), "_etag": "d"} for n in range(chance.randint(0, 2))]
            lists = {"partInventories": units, "referenceDesignators": marks}
            return stamps | {name: lists[name] for name in chance.sample(sorted(lists), chance.randint(0, 2))}


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 10**6))
def test_a_changed_store_answers_like_one_loaded_that_way(seed: int) -> None:
    chance = random.Random(seed)
    subtypes = [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]
    tables: dict[str, dict[int, Any]] = {root: {} for root in ("parts", "partInventories", "buildRequirements")}
    store = load_world(World(tables={"partSubtypes": subtypes}))
    changed, writer = Engine(store, SCHEMA), Writer(store)
    for _ in range(25):
        root = chance.choice(list(tables))
        type_name, row_id = store.model.roots[root], chance.randint(1, 4)
        row = random_row(root, row_id, chance)
        if row_id not in tables[root]:
            writer.add(type_name, row)
            tables[root][row_id] = row
        elif chance.random() < 0.4:
            writer.delete(type_name, row_id)
            del tables[root][row_id]
        else:
            changes = {name: row[name] for name in chance.sample(sorted(row), min(4, len(row)))} | {
                "_etag": "new",
                "_updated": "2026-02-01",
            }
            writer.update(type_name, row_id, changes)
            tables[root][row_id] |= changes
        if chance.random() < 0.3:
            ask(changed, EVERYTHING)  # indexes and caches fill up in between
    fresh = World(tables={"partSubtypes": subtypes} | {root: list(rows.values()) for root, rows in tables.items()})
    assert ask(changed, EVERYTHING) == ask(Engine(load_world(fresh), SCHEMA), EVERYTHING)


def test_a_change_moves_the_etag_and_the_instant() -> None:
    store = load_world(World(tables={"parts": [{"id": 1, "partNumber": "A"}]}))
    engine, writer = Engine(store, SCHEMA), Writer(store)
    query = "{ part(id: 1) { partNumber _etag _updated _created } }"
    before = ask(engine, query)["part"]
    writer.update("Part", 1, {"partNumber": "B"}, now="2026-05-05T00:00:00.000000+00:00")
    after = ask(engine, query)["part"]
    assert after["partNumber"] == "B"
    assert after["_updated"] == "2026-05-05T00:00:00.000000+00:00"
    assert after["_created"] == before["_created"]
    assert after["_etag"] != before["_etag"]
    writer.update("Part", 1, {"partNumber": "B"}, now="2026-05-05T00:00:00.000000+00:00")
    assert ask(engine, query)["part"]["_etag"] != after["_etag"]


def test_a_missing_row_cannot_be_changed() -> None:
    writer = Writer(load_world(World()))
    with pytest.raises(KeyError):
        writer.update("Part", 1, {"partNumber": "B"})
    with pytest.raises(KeyError):
        writer.delete("Part", 1)


def test_changed_predecessors_change_the_edges_between_steps() -> None:
    store = load_world(World(tables={"runSteps": [{"id": 1}, {"id": 2}, {"id": 3, "upstreamStepIds": [1]}]}))
    engine, writer = Engine(store, SCHEMA), Writer(store)
    query = "{ runSteps { edges { node { upstream { upstreamStepId } downstream { stepId } } } } }"

    def edges() -> list[Any]:
        return [
            ([one["upstreamStepId"] for one in node["upstream"]], [one["stepId"] for one in node["downstream"]])
            for node in (edge["node"] for edge in ask(engine, query)["runSteps"]["edges"])
        ]

    assert edges() == [([], [3]), ([], []), ([1], [])]
    writer.update("RunStep", 3, {"upstreamStepIds": [2]})
    assert edges() == [([], []), ([], [3]), ([2], [])]
