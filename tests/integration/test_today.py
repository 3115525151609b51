"""Today's ION: read whole over a socket, adopted under its own names, and served to those who have no tenant."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.catalog.naming import column_name
from ion_pipeline.errors import SettingsError
from ion_pipeline.pipeline import export_control, further_actions, steps
from ion_pipeline.pipeline.adopt import adopt
from ion_pipeline.pipeline.check import check
from ion_pipeline.pipeline.entity_tables import published_entities
from ion_pipeline.pipeline.further_actions import further_actions_of
from ion_pipeline.sandbox.server import export_world
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import connect
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import served
from tests.integration.support.extraction import CATALOG, COMPUTED, Extraction, differences
from tests.integration.support.warehouse import query
from tests.oracle.export_control import controlled
from tests.oracle.world import World as Rows
from tests.oracle.world import read_truths, read_world_dir
from tests.unit.dbt.models import sql_of

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

GENERATION_1 = {"abom_items", "abom_edges"}


@pytest.fixture(scope="module")
def world_dir(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    return once("world-of-today", partial(export_world, scale=0.05, profile="today"))


@pytest.fixture(scope="module")
def world(world_dir: Path) -> Rows:
    return read_world_dir(world_dir)


def test_every_row_and_value_of_every_entity(world_dir: Path, world: Rows) -> None:
    with served(world_dir, "today") as address:
        read = Extraction(address)
    assert {name for name, result in read.results.items() if result.status != "read"} == GENERATION_1
    assert differences(world, read, without=COMPUTED) == []
    sessions = read.results["run_step_sessions"]
    assert (sessions.paging, sessions.total_count) == ("keyset", len(read.tables.rows["run_step_sessions"]))
    assert set(read.results) == {*CATALOG.entities, "run_step_sessions"}


def test_what_a_tenant_names_itself_is_adopted(world_dir: Path, world: Rows, tmp_path: Path) -> None:
    with served(world_dir, "today", names=NAMES) as address:
        settings = settings_for(address, tmp_path, entities=HELD_FROM)
        found = adopt(settings)
        assert found.entities == ("partInventoryBuildRequirements", "supplierParts", "correctiveActions")
        assert set(found.fields) == {"IssueDispositionType.inventoryAvailability", "IssueDispositionType.autoResolve"}
        assert found.lists == ("FurtherAction.relatedIssues", "FurtherAction.signers")
        assert found.refused == ()
        assert not adopt(settings)
        names = (*HELD_FROM, *CONTROLLED_FROM, "users", *(column_name(name) for name in found.entities))
        settings = settings.model_copy(update={"entities": names})
        steps.extract(settings)
        steps.load(settings)
        export_control.search(settings)

    # Adopted or not, each is published with as many rows as ION says.
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        said = dict(connection.execute("select table_name, total_count from raw._ion_load_tables").fetchall())
        published = {table.name: table.query for table in published_entities(settings)}
        for name in settings.entities:
            ((rows,),) = connection.execute(f"select count(*) from ({published[name]})").fetchall()  # noqa: S608
            assert rows == said[name] > 0

    def kept(table: str, columns: str) -> set[tuple[Any, ...]]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            return set(connection.execute(f"select {columns} from raw.{table}").fetchall())  # noqa: S608 -- our own names

    def there(root: str, *fields: str) -> set[tuple[Any, ...]]:
        return {tuple(row.get(field) for field in fields) for row in world[root]}

    assert kept("corrective_actions", "id, title, status, analysis_notes") == there(
        "furtherActions", "id", "title", "status", "analysisNotes"
    )
    assert kept("supplier_parts", "supplier_id, part_id, supplier_part_number, conversion_factor") == there(
        "supplierParts", "supplierId", "partId", "supplierPartNumber", "conversionFactor"
    )
    # Export control extends to what was adopted.
    found_controlled = controlled(world)
    columns = "supplier_part_id, is_export_controlled"
    flags = dict(query(settings.warehouse_path, f"select {columns} from ({published['supplier_parts']})"))  # noqa: S608
    assert flags == {row["id"]: ("parts", row["partId"]) in found_controlled for row in world["supplierParts"]}
    assert set(flags.values()) == {True, False}
    assert kept("part_inventory_build_requirements", "part_inventory_id, build_requirement_id") == {
        (unit["id"], row["id"]) for row in world["buildRequirements"] for unit in row["partInventories"]
    }
    # A list and a connection, under names of the tenant's own.
    for table, listed, linked in (("related_issues", "issues", "issue_id"), ("signers", "approvers", "user_id")):
        name = f"corrective_action_{table}"
        assert kept(name, f"corrective_action_id, {linked}") == links(world, listed) != set()
        assert len(query(settings.warehouse_path, published[name])) == len(links(world, listed))
    chosen = settings.model_copy(update={"further_actions": "corrective_action_related_issues"})
    check_further_actions(chosen, world, read_truths(world_dir)["today"])
    dispositions = kept("issue_disposition_types", "id, inventory_availability, auto_resolve")
    assert dispositions == there("issueDispositionTypes", "id", "inventoryAvailability", "autoResolve")
    assert len({availability for _, availability, _ in dispositions}) == 3
    holds = held(settings.warehouse_path)
    assert {row[:-1] for row in holds} == held_in(world) != set()
    assert {permanent for _, _, _, permanent, _, _ in holds} == {True, False}
    assert "UNAVAILABLE" in {status for *_, status in holds}


#: What this tenant calls what ION's manual does not name.
NAMES = (
    ("furtherActions", "correctiveActions"),
    ("furtherActions.issues", "relatedIssues"),
    ("furtherActions.approvers", "signers"),
)


def links(world: Rows, listed: str) -> set[tuple[Any, ...]]:
    return {(row["id"], one["id"]) for row in world["furtherActions"] for one in row[listed]}


def check_further_actions(settings: Settings, world: Rows, planted: dict[str, Any]) -> None:
    """The unchanged models over the views that the setting leads to, against the world's rows."""
    changed = further_actions.changed_sources(settings, frozenset({settings.further_actions, "issues"}))
    assert changed == {"raw._ion_further_action_issues"}
    with connect(settings.warehouse_path) as connection:
        further_actions.prepare(connection, settings)
        for name, sql in {
            "issues": "select id as issue_id, status <> 'RESOLVED' as is_open from raw.issues",
            "users": "select id as user_id, name as user_name from raw.users",
            "stg_ion__further_actions": sql_of("stg_ion__further_actions"),
            "stg_ion__further_action_issues": sql_of("stg_ion__further_action_issues"),
        }.items():
            connection.execute(f"create temp view {name} as {sql}")
        columns = (
            "further_action_id, further_action_title, status, is_open, problem_statement, analysis_notes, resolution, "
            "assigned_to, issue_count, open_issue_count, created_at, is_export_controlled"
        )
        found = connection.execute(f"select {columns} from ({sql_of('further_actions')})").fetchall()  # noqa: S608
    found_controlled = controlled(world)
    issues = {row["id"]: row for row in world["issues"]}
    users = {row["id"]: row["name"] for row in world["users"]}
    expected = [
        (
            row["id"], row["title"], row["status"], row["status"] in ("IN_PROGRESS", "IN_REVIEW"),
            row["problemStatement"], row.get("analysisNotes"), row.get("resolution"), users[row["assignedToId"]],
            len(row["issues"]), sum(issues[one["id"]]["status"] != "RESOLVED" for one in row["issues"]),
            datetime.fromisoformat(row["_created"]),
            any(("issues", one["id"]) in found_controlled for one in row["issues"]),
        )
        for row in world["furtherActions"]
    ]  # fmt: skip
    assert found == expected
    assert [row[0] for row in found] == planted["further_actions"]
    assert {row[3] for row in found} == {True, False}
    assert {row[9] for row in found} != {0}


@pytest.mark.parametrize("name", ["corrective_actions", "issue_part_inventories", "corrective_action_signers", "capas"])
def test_a_table_that_links_no_further_actions_to_issues_is_refused(tmp_path: Path, name: str) -> None:
    text = (
        "type ActionConnection { edges: [ActionEdge] } type ActionEdge { node: Action } "
        "extend type Query { correctiveActions: ActionConnection } "
        "type Action { id: Int! issues: [Issue] signers: [User] }"
    )
    (tmp_path / "adopted.graphql").write_text(text, encoding="utf-8")
    settings = load_settings(environment="embedded", data_dir=tmp_path, further_actions=name)
    # Before anything is read.
    with pytest.raises(SettingsError, match=f"ION_FURTHER_ACTIONS is {name}") as caught:
        steps.extract(settings)
    assert "corrective_action_issues" in caught.value.remedy
    whole = further_actions_of(settings.model_copy(update={"further_actions": "corrective_action_issues"}))
    assert whole
    assert (whole.actions.name, whole.action_column) == ("corrective_actions", "corrective_action_id")


#: From where export control reaches an issue, besides those.
CONTROLLED_FROM = ("parts", "procedures", "purchase_order_lines", "run_steps", "runs", "steps")
#: What says which issue holds which unit.
HELD_FROM = ("issue_disposition_types", "issue_part_inventories", "issues", "part_inventories")


def held(warehouse: Path) -> set[tuple[Any, ...]]:
    """Units that are held, with the issue, the rule and the unit's status, from the unchanged model over `raw`."""
    inputs = {
        "issue_units": "select part_inventory_id, issue_id, null as {} from raw.issue_part_inventories",
        "part_inventories": "select id as part_inventory_id, null as {}, * exclude id from raw.part_inventories",
        "stg_ion__issues": "select id as issue_id, issue_disposition_type_id, status from raw.issues",
        "stg_ion__issue_disposition_types": sql_of("stg_ion__issue_disposition_types"),
    }
    unused = {
        "issue_units": ("part_id", "part_number", "part_revision", "serial_number", "lot_number", "issue_title",
                        "opened_at", "is_export_controlled"),
        "part_inventories": ("location_name",),
    }  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as read (read_only); create schema raw")
        for table in HELD_FROM:
            connection.execute(f"create view raw.{table} as from read.raw.{table}")
        for name, sql in inputs.items():
            connection.execute(f"create view {name} as {sql.format(', null as '.join(unused.get(name, ())))}")
        columns = "part_inventory_id, issue_id, hold_rule, is_permanent, is_held, inventory_status"
        return set(connection.execute(f"select {columns} from ({sql_of('holds')})").fetchall())  # noqa: S608


def held_in(world: Rows) -> set[tuple[Any, ...]]:
    """The same from the world's rows, without the status, which ION computes."""
    rules = {row["id"]: row.get("inventoryAvailability") for row in world["issueDispositionTypes"]}
    issues = {row["id"]: row for row in world["issues"]}
    found = set()
    for link in world["issuePartInventories"]:
        issue = issues[link["issueId"]]
        rule = rules.get(issue.get("issueDispositionTypeId"))
        if rule == "PERMANENTLY_UNAVAILABLE" or (rule == "RELEASED_ON_RESOLUTION" and issue["status"] != "RESOLVED"):
            found.add((link["partInventoryId"], issue["id"], rule, rule == "PERMANENTLY_UNAVAILABLE", True))
    return found


def test_the_embedded_sandbox_is_todays(tmp_path: Path) -> None:
    settings = load_settings(
        environment="embedded", data_dir=tmp_path, sandbox_scale=0.02, entities=("abom_items", "run_steps")
    )
    found = check(settings)
    assert set(found.new_entities) == {"supplierParts", "furtherActions", "partInventoryBuildRequirements"}
    assert {one.entity: (one.status, one.total_count is None) for one in found.entities} == {
        "abom_items": ("absent", True),
        "run_steps": ("readable", False),
        "run_step_sessions": ("readable", False),
    }
