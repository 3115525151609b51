"""Relations that cannot be derived from names, against the small world's expected rows."""

from typing import Any

import pytest

from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.world import World
from tests.unit.sandbox.asking import ask, engine_of

#: (query on one row, what it must give)
EXPECTED: dict[str, tuple[str, Any]] = {
    "a unit's requirements": ("partInventory(id: 10) { buildRequirements { id } }", [{"id": 1}, {"id": 2}]),
    "a requirement's units": (
        "partInventory(id: 10) { buildRequirements { partInventories { id } } }",
        [{"partInventories": [{"id": 10}, {"id": 11}]}, {"partInventories": [{"id": 10}]}],
    ),
    "where a unit is installed": (
        "partInventory(id: 12) { abomInstallations { quantity buildRequirement { partInventories { id } } } }",
        [{"quantity": 4.0, "buildRequirement": {"partInventories": [{"id": 10}, {"id": 11}]}}],
    ),
    "parents, nearest first": ("abomItem(id: 3) { allParents { id } }", [{"id": 2}, {"id": 1}]),
    "children": (
        "abomItem(id: 1) { children { referenceDesignator { value } } }",
        [{"referenceDesignator": {"value": "B1"}}],
    ),
    "edges up": (
        "abomItem(id: 2) { parentEdges { edges { node { parentAbomItemId } } } }",
        {"edges": [{"node": {"parentAbomItemId": 1}}]},
    ),
    "edges down": (
        "abomItem(id: 2) { childEdges { edges { node { childAbomItemId } } } }",
        {"edges": [{"node": {"childAbomItemId": 3}}]},
    ),
    "a unit's components": ("partInventory(id: 10) { abomChildren { partInventoryId } }", [{"partInventoryId": 12}]),
    "splits": ("partInventory(id: 12) { partInventories { lotNumber } }", [{"lotNumber": "L-10"}]),
    "the lot it came from": ("partInventory(id: 13) { originPartInventory { lotNumber } }", {"lotNumber": "L-9"}),
    "issues through their link table": ("partInventory(id: 12) { issues { title } }", [{"title": "Scratch"}]),
    "runs it went into": ("partInventory(id: 12) { originRuns { id } }", [{"id": 1}]),
    "order lines": (
        "partInventory(id: 12) { purchaseOrderLines { purchaseOrder { supplier { name } } } }",
        [{"purchaseOrder": {"supplier": {"name": "Acme"}}}],
    ),
    "kits": ("partInventory(id: 12) { partKits { id } partKitItems { id } }", [{"id": 1}]),
    "files": ("partInventory(id: 12) { fileAttachments { filename } }", [{"filename": "cert.pdf"}]),
    "revisions made from one": ("part(id: 1) { revisions { revision } }", [{"revision": "B"}]),
    "its released plan": ("part(id: 1) { latestReleasedMbom { version } }", {"version": 1}),
    "its latest plan": ("part(id: 1) { latestMbom { version } }", {"version": 2}),
    "its planned lines": (
        "part(id: 1) { mbom { part { partNumber } parent { partNumber } } }",
        [{"part": {"partNumber": "BOLT_M4"}, "parent": {"partNumber": "PUMP"}}],
    ),
    "its procedures": ("part(id: 1) { procedures { title } }", [{"title": "Build"}]),
    "its inventory of one state": ("part(id: 1) { partsInventory(filters: {status: {eq: WIP}}) { id } }", [{"id": 11}]),
    "a subtype's parts": ("partSubtype(id: 1) { parts { partNumber } }", [{"partNumber": "BOLT_M4"}]),
    "places below": ("location(id: 1) { allChildren { name } }", [{"name": "Hall"}, {"name": "Shelf"}]),
    "places above": ("location(id: 3) { allParents { name } }", [{"name": "Hall"}, {"name": "Site"}]),
    "sessions of a run": ("run(id: 1) { sessions { duration runStepId } }", [{"duration": 1.5, "runStepId": 1}]),
    "issues of a run": ("run(id: 1) { issues { title } }", [{"title": "Scratch"}]),
    "who started a run": ("run(id: 1) { startedBy { name } }", {"name": "Ada"}),
    "runs of the batch": ("run(id: 1) { batchSiblings { id } }", [{"id": 2}]),
    "places of a run": ("run(id: 1) { locations { name } }", [{"name": "Shelf"}]),
    "the same step in the batch": ("runStep(id: 1) { batchSiblings { id } }", [{"id": 3}]),
    "the same field in the batch": ("runStepField(id: 1) { batchSiblings { value } }", [{"value": 2}]),
    "steps before": ("runStep(id: 2) { upstream { upstreamStep { title } } }", [{"upstreamStep": {"title": "Torque"}}]),
    "steps after": ("runStep(id: 1) { downstream { step { title } } }", [{"step": {"title": "Test"}}]),
    "open issues that block": ("runStep(id: 2) { blockingIssues { title } }", [{"title": "Scratch"}]),
    "all issues to close": ("runStep(id: 2) { mustCloseByLinkedIssues { id } }", [{"id": 1}, {"id": 2}]),
    "an issue's units": ("issue(id: 1) { partInventories { id } }", [{"id": 10}, {"id": 12}]),
    "related issues": ("issue(id: 1) { relatedIssues { id } }", [{"id": 2}]),
    "issues it came from": ("issue(id: 2) { originIssues { id } }", [{"id": 1}]),
    "comments by handle": ("issue(id: 1) { comments { content } }", [{"content": "look"}]),
    "what a line received": (
        "purchaseOrderLine(id: 1) { receivedPartInventories { lotNumber } }",
        [{"lotNumber": "L-9"}],
    ),
    "a receipt's order lines": ("receipt(id: 1) { purchaseOrderLines { id } }", [{"id": 1}]),
    "a kit's inventory": (
        "partKit(id: 1) { partInventories { id issuedQuantity part { partNumber } } }",
        [{"id": 12, "issuedQuantity": 4.0, "part": {"partNumber": "BOLT_M4"}}],
    ),
    "a kit line at a glance": ("partKitItem(id: 2) { firstInventoryDisplay(includeOnOrder: false) }", "P-1"),
    "a team's users, said by the user": ("team(id: 1) { users { name } }", [{"name": "Ada"}]),
    "a user's roles, said by the role": ("user(id: 2) { roles { name } }", [{"name": "Buyer"}]),
    "what a plan item needs": (
        "planItem(id: 1) { childAllocations { childPlanItem { name } } }",
        [{"childPlanItem": {"name": "buy"}}],
    ),
    "what needs a plan item": (
        "planItem(id: 2) { parentAllocations { parentPlanItem { name } } }",
        [{"parentPlanItem": {"name": "make"}}],
    ),
    "an attribute's user": (
        "part(id: 3) { attributes { ionValue { ... on User { name } } part { id } } }",
        [{"ionValue": None, "part": {"id": 3}}] * 2 + [{"ionValue": {"name": "Ada"}, "part": {"id": 3}}],
    ),
    "nobody": ("part(id: 2) { createdBy { name } }", None),
    "somebody else than asked for": ('part(id: 1) { createdBy(filters: {name: {eq: "Bob"}}) { name } }', None),
}


@pytest.mark.parametrize(("query", "expected"), EXPECTED.values(), ids=EXPECTED.keys())
def test_a_relation_leads_to_the_expected_rows(small: Engine, query: str, expected: Any) -> None:
    (row,) = ask(small, f"{{ {query} }}").values()
    found = next(iter(row.values()))
    assert found == expected


def test_trees_with_a_cycle_end() -> None:
    items = [{"id": n} for n in (1, 2, 3)]
    edges = [{"id": n, "parentAbomItemId": n, "childAbomItemId": n % 3 + 1} for n in (1, 2, 3)]
    edges.append({"id": 4, "parentAbomItemId": 1, "childAbomItemId": 1})
    engine = engine_of(World(tables={"abomItems": items, "aBomEdges": edges}))
    item = ask(engine, "{ abomItem(id: 1) { allChildren { id } allParents { id } } }")["abomItem"]
    assert item == {"allChildren": [{"id": 2}, {"id": 3}], "allParents": [{"id": 3}, {"id": 2}]}


def test_links_and_keys_to_missing_rows_lead_nowhere() -> None:
    engine = engine_of(World(tables={"buildRequirements": [{"id": 1, "partId": 9, "partInventories": [{"id": 9}]}]}))
    node = ask(engine, "{ buildRequirements { edges { node { partId part { id } partInventories { id } } } } }")
    assert node["buildRequirements"]["edges"][0]["node"] == {"partId": 9, "part": None, "partInventories": []}


def test_a_list_in_the_row_takes_precedence() -> None:
    links = [{"issueId": 1, "partInventoryId": 1}, {"issueId": 2, "partInventoryId": 1}]
    links.append({"issueId": 3, "partInventoryId": 1})
    issues = [{"id": 1, "partInventories": [{"id": 2}]}, {"id": 2}, {"id": 3, "partInventories": []}]
    world = World(tables={"partInventories": [{"id": 1}, {"id": 2}], "issues": issues, "issuePartInventories": links})
    edges = ask(engine_of(world), "{ issues { edges { node { partInventories { id } } } } }")["issues"]["edges"]
    assert [edge["node"]["partInventories"] for edge in edges] == [[{"id": 2}], [{"id": 1}], []]


def test_rows_of_one_page_each_get_their_own() -> None:
    """Related rows are answered once and shared; compared with a join in plain Python."""
    parts = {n: f"P{n}" for n in range(1, 8)}
    units = [{"id": n, "partId": n * 3 % 9, "quantity": float(n)} for n in range(1, 30)]
    tables = {"parts": [{"id": n, "partNumber": number} for n, number in parts.items()], "partInventories": units}
    data = ask(
        engine_of(World(tables=tables)),
        """{ partInventories { edges { node { id part { partNumber } } } }
             parts { edges { node { id partsInventory { id quantity } } } } }""",
    )
    assert [edge["node"] for edge in data["partInventories"]["edges"]] == [
        {"id": unit["id"], "part": {"partNumber": parts[unit["partId"]]} if unit["partId"] in parts else None}
        for unit in units
    ]
    assert [edge["node"] for edge in data["parts"]["edges"]] == [
        {"id": n, "partsInventory": [{"id": u["id"], "quantity": u["quantity"]} for u in units if u["partId"] == n]}
        for n in parts
    ]
