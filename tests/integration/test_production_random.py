"""Random shops at work: what is being built and what can be done next, against the oracle."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.integration.conftest import BuildWarehouse, Built
from tests.oracle.build_status import build_status
from tests.oracle.compare import assert_same, warehouse_table
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
def built(world_dir: Path, build_warehouse: BuildWarehouse) -> Built:
    return build_warehouse(world_dir, only=MARTS)


def test_build_status(built: Built, factory: Factory) -> None:
    found = warehouse_table(built.warehouse, "production.build_status")
    assert_same(build_status(factory, 2), found, key=["part_inventory_id"])
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
