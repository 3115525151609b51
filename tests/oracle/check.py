"""A published warehouse against a world: the genealogy tables, for every unit."""

from pathlib import Path

from tests.oracle import compare
from tests.oracle.anomalies import anomalies
from tests.oracle.bom import Bom
from tests.oracle.genealogy import Generation, hierarchy, installations, where_used
from tests.oracle.unit_compare import unit_changes
from tests.oracle.unit_lines import built
from tests.oracle.world import World

TOLD_BY: dict[str, Generation] = {
    "full": "both",
    "no-root-abom": "both",
    "generation-1": 1,
    "generation-2": 2,
}
"""The generation of the as-built BOM that a tenant with this schema (a sandbox profile) records."""


def assert_installations(published: Path, world: World, profile: str) -> None:
    """Assert that ``abom_installations`` has exactly the oracle's rows, each with a unique key."""
    found = compare.warehouse_installations(published)
    compare.assert_same(installations(world, TOLD_BY[profile]), found, key=compare.INSTALLATION_KEY)
    keys = {row["abom_installation_key"] for row in found}
    assert len(keys - {None}) == len(found)


def assert_hierarchy(published: Path, world: World, profile: str) -> None:
    """Assert that ``abom_hierarchy`` has exactly the oracle's trees, in printing order."""
    found = compare.warehouse_hierarchy(published)
    compare.assert_same(hierarchy(world, TOLD_BY[profile]), found, key=compare.HIERARCHY_KEY)
    compare.assert_prints_as_tree(found)


def assert_where_used(published: Path, world: World, profile: str) -> None:
    """Assert that ``abom_where_used`` has exactly the oracle's pairs."""
    found = compare.warehouse_where_used(published)
    compare.assert_same(where_used(world, TOLD_BY[profile]), found, key=compare.WHERE_USED_KEY)


def assert_unit_changes(published: Path, world: World, profile: str) -> None:
    """Assert that ``abom_unit_changes`` has exactly the oracle's changed lines."""
    bom = Bom.of(world, TOLD_BY[profile])
    found = compare.warehouse_rows(published, "abom_unit_changes")
    compare.assert_same(unit_changes(bom, built(world, bom)), found, key=("part_inventory_id", "changed_line_key"))


def assert_anomalies(published: Path, world: World, profile: str) -> None:
    """Assert that ``genealogy_anomalies`` has exactly the oracle's findings, with the same proof."""
    found = compare.warehouse_rows(published, "genealogy_anomalies")
    compare.assert_same(anomalies(world, TOLD_BY[profile]), found, key=("anomaly_key",))
