"""Random shops at work: what is being built and what can be done next, against the oracle."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.adopt import adopt
from tests.integration.conftest import Built, build_only, settings_for
from tests.integration.support.changing_world import served
from tests.integration.support.flags import FLAGGED, check_flags
from tests.oracle.build_status import build_status
from tests.oracle.compare import assert_same, warehouse_table
from tests.oracle.export_control import controlled
from tests.oracle.materials_used import materials_used
from tests.oracle.production import Factory
from tests.oracle.random_builds import random_builds
from tests.oracle.step_dependencies import step_dependencies
from tests.oracle.tools import tool_usage, tools
from tests.oracle.world import read_world_dir, write_world_dir

pytestmark = pytest.mark.slow

SEED = 11
MARTS = ("build_status", "step_dependencies", "tools", "materials_used")


@pytest.fixture(scope="module")
def world_dir(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    return once("random-builds", partial(write_world_dir, random_builds(SEED).world))


@pytest.fixture(scope="module")
def factory(world_dir: Path) -> Factory:
    return Factory(read_world_dir(world_dir))


@pytest.fixture(scope="module")
def built(world_dir: Path, tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Built:
    """Today's tenant, whose rule for inventory with an issue is adopted."""
    data_dir = tmp_path_factory.mktemp("random-builds-today")
    rendered(data_dir)
    with served(world_dir, "today") as address:
        settings = settings_for(address, data_dir)
        assert "IssueDispositionType.inventoryAvailability" in adopt(settings).fields
        steps.extract(settings)
    steps.load(settings)
    # The column is read by now; no model's SQL follows from what is adopted, so what was rendered before fits.
    (data_dir / "adopted.graphql").unlink()
    build_only(settings, *MARTS)
    return Built(data_dir, world_dir, "today")


def test_build_status(built: Built, factory: Factory) -> None:
    found = warehouse_table(built.warehouse, "production.build_status")
    # ION computes the status of inventory (tests/unit/sandbox/test_today.py): what it says is a fact here.
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        said = dict(connection.execute("select id, status from raw.part_inventories").fetchall())
    for unit in factory.world["partInventories"]:
        unit["status"] = said[unit["id"]]
    assert_same(build_status(factory, 2), found, key=["part_inventory_id"])
    assert any(row["holding_issue_ids"] and row["status"] == "WIP" for row in found)
    assert {row["held_content_count"] > 0 for row in found if not row["holding_issue_ids"]} == {True, False}
    assert {row["conformance"] for row in found} == {"deviating", "incomplete", "conforming", None}
    assert any(row["on_order_part_ids"] for row in found)
    assert any(row["blocking_issue_ids"] for row in found)
    assert any(row["requirements_unknown"] for row in found)


def test_step_dependencies(built: Built, factory: Factory) -> None:
    found = warehouse_table(built.warehouse, "production.step_dependencies")
    assert_same(step_dependencies(factory), found, key=["run_step_id", "dependency", "depends_on_run_step_id"])
    assert {row["is_critical"] for row in found} == {True, False, None}
    assert {row["is_available"] for row in found if row["is_satisfied"]} == {True, False}
    assert any((row["slack_hours"] or 0) > 0 for row in found)


def test_tools_and_their_uses(built: Built, factory: Factory) -> None:
    found = warehouse_table(built.warehouse, "production.tool_usage")
    assert_same(tool_usage(factory), found, key=["result_key"])
    assert {row["was_overdue"] for row in found} == {True, False, None}
    assert_same(tools(factory), warehouse_table(built.warehouse, "production.tools"), key=["part_inventory_id"])


def test_materials_used(built: Built, factory: Factory) -> None:
    found = warehouse_table(built.warehouse, "production.materials_used")
    # The world was over long before it was read.
    expected = materials_used(factory, 2, datetime.now(UTC))
    assert_same(expected, found, key=["run_id", "abom_installation_key"])
    assert {row["run_step_from"] for row in found} == {"plan", "time", None}
    assert any(row["run_count"] > 1 for row in found)


@pytest.mark.parametrize("mart", ["production.tools", "production.tool_usage"])
def test_a_controlled_tool_and_its_uses_say_so(built: Built, factory: Factory, mart: str) -> None:
    assert check_flags(built.warehouse, mart, FLAGGED[mart], controlled(factory.world)) == {True, False}
