"""Links of issues, teams and roles of the seeded factory: each row a second time, from the world's rows alone."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import table
from tests.oracle.compare import assert_same
from tests.oracle.world import Row, World, read_world_dir

pytestmark = pytest.mark.slow

#: What a field of an issue links it to: the field, what the link means, and the connection that has the title.
FIELDS = (
    ("runStepId", "found_on", "run_step"),
    ("mustCloseByRunStepId", "must_close_by", "run_step"),
    ("purchaseOrderLineId", "found_on", "purchase_order_line"),
    ("fixPartInventoryId", "fixed_by", "part_inventory"),
)


@pytest.fixture(scope="module")
def factory(demo_warehouse: Built) -> World:
    return read_world_dir(demo_warehouse.world)


def links(world: World) -> Iterator[tuple[int, str, str, int]]:
    for row in world["issueRelations"]:
        yield row["originIssueId"], "related_issue", "issue", row["relatedIssueId"]
    for issue in world["issues"]:
        for field, link, kind in FIELDS:
            if issue.get(field):
                yield issue["id"], link, kind, issue[field]
    for row in world["redlines"]:
        if row.get("issueId"):
            yield row["issueId"], "redlined_by", "redline", row["id"]
    units = {(row["issueId"], row["partInventoryId"]) for row in world["issuePartInventories"]}
    units |= {(row["id"], row["partInventoryId"]) for row in world["issues"] if row.get("partInventoryId")}
    yield from ((issue, "affects", "part_inventory", unit) for issue, unit in units)


def test_each_link_of_an_issue(demo_warehouse: Built, factory: World) -> None:
    issues = {row["id"]: row for row in factory["issues"]}
    expected = [
        {
            "issue_id": issue, "link_type": link, "linked_type": kind, "linked_id": linked,
            "issue_title": issues[issue]["title"], "issue_status": issues[issue]["status"],
            "is_issue_open": issues[issue]["status"] != "RESOLVED",
        }
        for issue, link, kind, linked in links(factory)
    ]  # fmt: skip
    found = table(demo_warehouse, "quality.issue_links")
    assert_same(expected, found, key=("issue_id", "link_type", "linked_type", "linked_id"))
    kinds = Counter((row["link_type"], row["linked_type"]) for row in found)
    assert len(kinds) == len(FIELDS) + 3
    titles = {row["id"]: row["title"] for row in factory["issues"]}
    assert {row["linked"] == titles[row["linked_id"]] for row in found if row["linked_type"] == "issue"} == {True}


def test_teams_and_their_members(demo_warehouse: Built, factory: World) -> None:
    users = {row["id"]: row for row in factory["users"]}
    members = [
        {
            "team_id": team["id"], "user_id": one["id"], "team_name": team["name"],
            "user_name": users[one["id"]]["name"], "is_supervisor": team.get("supervisorId") == one["id"],
            "is_deactivated": users[one["id"]]["deactivated"],
        }
        for team in factory["teams"]
        for one in team.get("users") or ()
    ]  # fmt: skip
    found = table(demo_warehouse, "reference.team_members")
    assert_same(members, found, key=("team_id", "user_id"))
    assert {row["is_supervisor"] for row in found} == {True, False}
    counts = Counter(row["team_id"] for row in members)
    teams = [
        {
            "team_id": team["id"], "team_name": team["name"], "supervisor_id": team.get("supervisorId"),
            "supervisor": users[team["supervisorId"]]["name"] if team.get("supervisorId") else None,
            "member_count": counts[team["id"]],
        }
        for team in factory["teams"]
    ]  # fmt: skip
    assert_same(teams, table(demo_warehouse, "reference.teams"), key=("team_id",))


def test_roles_and_who_has_them(demo_warehouse: Built, factory: World) -> None:
    names = {row["id"]: row["name"] for row in factory["roles"]}

    def held(kind: str, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            for role in row.get("roles") or ():
                yield {
                    "role_id": role["id"], "member_type": kind, "member_id": row["id"],
                    "role_name": names[role["id"]], "member_name": row["name"],
                }  # fmt: skip

    expected = [*held("user", factory["users"]), *held("team", factory["teams"])]
    found = table(demo_warehouse, "reference.role_members")
    assert_same(expected, found, key=("role_id", "member_type", "member_id"))
    counts = Counter((row["role_id"], row["member_type"]) for row in expected)
    assert {kind for _, kind in counts} == {"user", "team"}
    roles = [
        {
            "role_id": role, "role_name": name, "user_count": counts[role, "user"], "team_count": counts[role, "team"],
        }
        for role, name in names.items()
    ]  # fmt: skip
    assert_same(roles, table(demo_warehouse, "reference.roles"), key=("role_id",))
