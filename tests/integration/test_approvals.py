"""Who waits for whom in the seeded factory: requests, verdicts and redlines against the oracle."""

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_load, rows, table
from tests.oracle import approvals
from tests.oracle.compare import assert_same
from tests.oracle.world import World, read_world_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def factory(demo_warehouse: Built) -> World:
    return read_world_dir(demo_warehouse.world)


def test_requests_and_what_answers_them(demo_warehouse: Built, factory: World) -> None:
    expected = approvals.requests(factory, last_load(demo_warehouse))
    found = table(demo_warehouse, "quality.approval_requests")
    assert_same(expected, found, key=("approval_kind", "approval_request_id"))
    assert {row["approval_kind"] for row in found} == {kind.name for kind in approvals.KINDS}
    # The comparison says something about each kind of ending: answered, waiting, decided by somebody else.
    endings = {(row["is_waiting"], row["approval_id"] is not None) for row in found}
    assert endings == {(True, False), (False, True), (False, False)}


def test_verdicts(demo_warehouse: Built, factory: World) -> None:
    found = table(demo_warehouse, "quality.approvals")
    assert_same(approvals.verdicts(factory), found, key=("approval_kind", "approval_id"))
    assert sum(row["reply_count"] for row in found) >= len(approvals.KINDS)
    answered = rows(demo_warehouse, "select count(approval_id) as requests from quality.approval_requests")
    assert sum(row["requests_answered"] for row in found) == answered[0]["requests"] > 20


def test_redlines(demo_warehouse: Built, factory: World) -> None:
    found = table(demo_warehouse, "quality.redlines")
    assert_same(approvals.redlines(factory, last_load(demo_warehouse)), found, key=("redline_id",))
    assert {row["is_waiting"] for row in found} == {True, False}
    assert all(row["changed_fields"] == ["title"] for row in found)
    assert {row["issue_id"] for row in found} != {None}
