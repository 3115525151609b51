"""A tenant whose units are worked on between refreshes: versions, changes and trees of then, end to end."""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from ion_pipeline.pipeline import steps
from ion_pipeline.sandbox.server import export_world
from tests.integration.conftest import build_only, settings_for
from tests.integration.support.analyst import MACROS
from tests.integration.support.changing_world import add, delete, served, update
from tests.oracle import compare
from tests.oracle.genealogy import hierarchy
from tests.oracle.history import History
from tests.oracle.world import Row, World, read_truths, read_world_dir

pytestmark = pytest.mark.slow

ENTITIES = (
    "abom_edges", "abom_installations", "abom_items", "build_requirements", "mbom_items", "mbom_substitutes",
    "part_inventories", "parts", "users",
)  # fmt: skip
SENSOR_PUT_IN, REST_CHANGED, PUT_BACK = 1, 2, 3
NEW_REQUIREMENT, NEW_INSTALLATION = 900_001, 900_002


@dataclass(frozen=True)
class Worked:
    """The warehouse after all refreshes, and the tenant as each of them found it."""

    warehouse: Path
    truths: Row
    units: Row
    loads: list[tuple[datetime, World]]

    def ask(self, sql: str, *values: object) -> list[Row]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            cursor = connection.execute(sql, values)
            names = [column[0] for column in cursor.description or ()]
            return [
                {
                    name: value.astimezone(UTC) if isinstance(value, datetime) else value
                    for name, value in zip(names, row, strict=True)
                }
                for row in cursor.fetchall()
            ]

    def changes(self, unit: str, load: int) -> list[Row]:
        sql = "from genealogy.abom_version_changes where part_inventory_id = ? and changed_at = ?"
        return self.ask(sql, self.units[unit], self.loads[load][0])


@pytest.fixture(scope="module", params=["today", pytest.param("full", marks=pytest.mark.exhaustive)])
def worked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]
) -> Worked:
    folder = tmp_path_factory.mktemp("abom_history")
    rendered(folder / "data")
    export_world(folder / "world", seed=7, scale=0.05)
    world, truths = read_world_dir(folder / "world"), read_truths(folder / "world")
    units = {row.get("serialNumber"): row["id"] for row in world["partInventories"]}
    with served(folder / "world", request.param) as sandbox:
        settings = settings_for(sandbox, folder / "data", entities=ENTITIES)
        worlds = []
        for changes in edits(world, truths, units):
            answer = httpx.post(f"{sandbox.api_url}/_sandbox/changes", json=changes)
            assert answer.status_code == 200, answer.text
            for change in changes:
                apply(world, change)
            worlds.append(deepcopy(world))
            assert steps.extract(settings).load_id
            steps.load(settings)
    build_only(settings, "genealogy")
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for name in ("abom_as_of", "abom_compare_as_of"):
            connection.execute((MACROS / f"{name}.sql").read_text(encoding="utf-8"))
        found = connection.execute("select valid_from from raw._ion_loads order by valid_from").fetchall()
    instants = [at.astimezone(UTC) for (at,) in found]
    return Worked(settings.warehouse_path, truths, units, list(zip(instants, worlds, strict=True)))


def edits(world: World, truths: Row, units: Row) -> Iterator[list[Any]]:
    """What is done before each refresh, as people at the bench would do it."""
    replaced, top = truths["replacement"], units["PLT-T1"]
    rows = {row["id"]: row for row in world["abomInstallations"]}
    second = rows[replaced["abom_installation_id"]]
    first = deepcopy(second) | {
        "id": replaced["deleted_abom_installation_id"],
        "partInventoryId": replaced["removed_part_inventory_id"],
    }
    yield [delete("abomInstallations", second["id"]), new("abomInstallations", first)]
    yield [delete("abomInstallations", first["id"]), new("abomInstallations", second)]

    requirements = requirements_of(world, top)
    installed = [row for row in world["abomInstallations"] if row.get("buildRequirementId") in requirements]
    assemblies = [row for row in installed if requirements_of(world, row["partInventoryId"])]
    taken_out, moved = [row for row in installed if row not in assemblies][:2]
    below = requirements_of(world, assemblies[0]["partInventoryId"])
    deeper = next(row for row in world["abomInstallations"] if row.get("buildRequirementId") in below)
    planned = deepcopy(requirements[taken_out["buildRequirementId"]])
    planned |= {"id": NEW_REQUIREMENT, "quantityPerParentPartInventory": 2.0, "referenceDesignators": []}
    yield [
        delete("abomInstallations", taken_out["id"]),
        update("abomInstallations", assemblies[1]["id"], quantity=2.0),
        update("abomInstallations", deeper["id"], quantity=deeper["quantity"] + 1),
        new("buildRequirements", planned),
    ]
    yield [
        new("abomInstallations", taken_out | {"id": NEW_INSTALLATION}),
        update("abomInstallations", moved["id"], buildRequirementId=taken_out["buildRequirementId"]),
        delete("buildRequirements", NEW_REQUIREMENT),
    ]


def new(entity: str, row: Row) -> Row:
    """A row added now."""
    return add(entity, **{name: value for name, value in row.items() if name not in ("_created", "_updated", "_etag")})


def requirements_of(world: World, unit: int) -> dict[int, Row]:
    return {
        row["id"]: row
        for row in world["buildRequirements"]
        if unit in {link["id"] for link in row.get("partInventories") or ()}
    }


def apply(world: World, change: Row) -> None:
    """A change of the sandbox, on the rows."""
    rows = world[change["entity"]]
    if change["op"] == "add":
        rows.append(deepcopy(change["row"]))
        return
    [row] = [row for row in rows if row["id"] == change["id"]]
    if change["op"] == "delete":
        rows.remove(row)
    else:
        row.update(change["values"])


@pytest.fixture(scope="module")
def history(worked: Worked) -> History:
    found = History("both")
    for at, world in worked.loads:
        found.add(at, world)
    return found


def test_the_planted_replacement(worked: Worked) -> None:
    truth = worked.truths["replacement"]
    [row] = worked.changes("PLT-T-REPLACED", SENSOR_PUT_IN)
    assert row["change"] == "replaced"
    assert (row["serial_number_before"], row["serial_number_after"]) == ("PLT-Q-OUT", "PLT-Q-IN")
    for column, name in (
        ("part_inventory_id_before", "removed_part_inventory_id"),
        ("part_inventory_id_after", "installed_part_inventory_id"),
        ("abom_installation_id_before", "deleted_abom_installation_id"),
        ("abom_installation_id_after", "abom_installation_id"),
        ("build_requirement_id_before", "build_requirement_id"),
        ("build_requirement_id_after", "build_requirement_id"),
    ):
        assert row[column] == truth[name]


def test_what_was_done_to_a_unit_is_told_by_class(worked: Worked) -> None:
    assert Counter(row["change"] for row in worked.changes("PLT-T1", REST_CHANGED)) == {
        "uninstalled": 1, "quantity_changed": 1, "requirement_added": 1, "indirect": 1
    }  # fmt: skip
    assert Counter(row["change"] for row in worked.changes("PLT-T1", PUT_BACK)) == {
        "installed": 1, "moved": 1, "requirement_removed": 1
    }  # fmt: skip


def test_all_versions_and_changes_of_the_tenant(worked: Worked, history: History) -> None:
    versions = worked.ask("from genealogy.abom_versions")
    compare.assert_same(
        [{name: value for name, value in row.items() if not name.startswith("shape")} for row in history.versions],
        versions,
        key=("part_inventory_id", "version_number"),
    )
    key = ("part_inventory_id", "changed_at", "change", "abom_installation_id_before", "abom_installation_id_after",
           "build_requirement_id_before", "build_requirement_id_after")  # fmt: skip
    compare.assert_same(history.changes, worked.ask("from genealogy.abom_version_changes"), key=key)


def test_trees_of_then(worked: Worked) -> None:
    for at, world in worked.loads:
        trees = hierarchy(world, "both")
        for unit in ("PLT-T1", "PLT-T-REPLACED"):
            found = worked.ask("from abom_as_of(?, ?)", worked.units[unit], at)
            for row in found:
                row["path"], row["path_ids"] = tuple(row["path_key"].split("/")[1:]), tuple(row["path_ids"])
            wanted = [row for row in trees if row["root_part_inventory_id"] == worked.units[unit]]
            compare.assert_same(wanted, found, key=compare.HIERARCHY_KEY)


def test_compared_with_itself_earlier(worked: Worked) -> None:
    instants = [at for at, _ in worked.loads]
    found = worked.ask(
        "from abom_compare_as_of(?, ?, ?)", worked.units["PLT-T1"], instants[SENSOR_PUT_IN], instants[REST_CHANGED]
    )
    assert Counter((row["change"], row["depth"]) for row in found) == {
        ("missing", 1): 1, ("quantity_changed", 1): 1, ("quantity_changed", 2): 1
    }  # fmt: skip
    first = (instants[0], instants[SENSOR_PUT_IN])
    assert worked.ask("from abom_compare_as_of(?, ?, ?)", worked.units["PLT-T1"], *first) == []
