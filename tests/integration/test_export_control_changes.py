"""Export control from one refresh to the next: what comes under it, and the history of what is."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ion_pipeline.pipeline import dbt, steps
from tests.integration.conftest import Built, build_only, settings_for, settings_of
from tests.integration.support.changing_world import Change, delete, served, update
from tests.integration.support.flags import FLAGGED, FLAGGED_LATER, check_flags
from tests.integration.support.traces import ids_found, telling_texts, traces
from tests.integration.support.warehouse import query
from tests.oracle.export_control import Named, controlled
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
MARTS = ["genealogy.abom_line_history", "genealogy.abom_installations", *sorted(FLAGGED_LATER)]


@dataclass
class Changed:
    """A tenant before and after somebody worked in it, and what was refreshed since.

    Attributes:
        before: Its rows when they were read first.
        after: Its rows now.
        left_out: Refreshed without what is controlled.
        whole: The same data, what has changed built with it.
    """

    before: World
    after: World
    left_out: Built
    whole: Built

    @property
    def found(self) -> set[Named]:
        return controlled(self.before, self.after)


def by_id(world: World, root: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in world[root]}


def changes(world: World, truth: dict[str, Any]) -> tuple[list[Change], World]:
    """What somebody does, and the tenant afterwards.

    A part comes under control of which units have been built and published. A component is taken out of a controlled
    unit, another one out of a free unit. A unit in a controlled one is scrapped.
    """
    found, after = controlled(world), deepcopy(world)
    part = next(row for row in after["parts"] if row["partNumber"] == "PLT-EXP-FRAME")
    assert part["id"] in truth["free_part_ids"]
    part["exportControlled"] = True
    requirements = by_id(after, "buildRequirements")

    def units(installation: dict[str, Any]) -> set[bool]:
        parents = {unit["id"] for unit in requirements[installation["buildRequirementId"]]["partInventories"]}
        return {("partInventories", unit) in found for unit in {*parents, installation.get("partInventoryId")}}

    there = [row for row in after["abomInstallations"] if row.get("buildRequirementId") in requirements]
    in_controlled = [row for row in there if True in units(row)]
    in_free = [row for row in there if units(row) == {False} and row.get("partInventoryId") is not None]
    out = (in_controlled[0], in_free[0])
    scrapped = by_id(after, "partInventories")[in_controlled[-1]["partInventoryId"]]
    scrapped["status"] = "SCRAPPED"
    after["abomInstallations"] = [row for row in after["abomInstallations"] if row not in out]
    return [
        update("parts", part["id"], touch=True, exportControlled=True),
        update("partInventories", scrapped["id"], touch=True, status="SCRAPPED"),
        *(delete("abomInstallations", row["id"]) for row in out),
    ], after


@pytest.fixture(scope="module")
def changed(
    once: Callable[[str, Callable[[Path], None]], Path], left_out: Built, rendered: Callable[[Path], None]
) -> Changed:
    before = read_world_dir(left_out.world)
    done, after = changes(before, read_truths(left_out.world)["export_control"])

    def refresh(data_dir: Path) -> None:
        shutil.copytree(left_out.data_dir, data_dir, symlinks=True, dirs_exist_ok=True)
        # The same tenant is one that answers at the same address.
        address = orjson.loads((data_dir / "tenant.json").read_bytes())["api_host"]
        with served(left_out.world, left_out.profile, port=int(address.rpartition(":")[2])) as sandbox:
            httpx.post(f"{sandbox.api_url}/_sandbox/changes", json=done).raise_for_status()
            settings = settings_for(sandbox, data_dir, publish_export_controlled=False)
            steps.extract(settings)
        steps.load(settings)
        dbt.build_pending(settings)
        steps.publish(settings)

    def build(data_dir: Path) -> None:
        shutil.copytree(once("left-out-later", refresh), data_dir, symlinks=True, dirs_exist_ok=True)
        rendered(data_dir)
        build_only(settings_of(data_dir, included=True), *(mart.partition(".")[2] for mart in MARTS))

    def built(folder: Path) -> Built:
        return Built(folder, left_out.world, left_out.profile)

    return Changed(before, after, built(once("left-out-later", refresh)), built(once("with-them-later", build)))


def test_what_comes_under_control_is_gone_with_the_next_refresh(changed: Changed, left_out: Built) -> None:
    new = changed.found - controlled(changed.before)
    assert {root for root, _ in new} >= {"parts", "partInventories", "buildRequirements", "abomInstallations"}
    texts = telling_texts(changed.after, changed.found)
    assert next(traces(left_out.data_dir / "published", texts), None), "nothing of it was published before"
    assert ids_found(left_out.published, new)
    assert not dict(traces(changed.left_out.data_dir / "published", texts))
    assert not ids_found(changed.left_out.published, changed.found)
    # The publish before was made without what was controlled then.
    latest = orjson.loads((changed.left_out.data_dir / "published" / "latest.json").read_bytes())
    kept = [folder.name for folder in (changed.left_out.data_dir / "published" / "publishes").iterdir()]
    assert kept == [latest["publish_id"]]


def test_history_of_the_rest_stands(changed: Changed) -> None:
    seen = "select change, part_inventory_id from genealogy.abom_version_changes where change = 'uninstalled'"
    without, whole = set(query(changed.left_out.published, seen)), set(query(changed.whole.warehouse, seen))
    assert without < whole
    assert {unit for _, unit in whole - without} <= {key for root, key in changed.found if root == "partInventories"}
    assert not {("partInventories", unit) for _, unit in without} & changed.found


@pytest.mark.parametrize("mart", MARTS)
def test_a_row_says_so_if_it_names_what_is_controlled_now(changed: Changed, mart: str) -> None:
    columns = FLAGGED.get(mart) or FLAGGED_LATER[mart]
    assert check_flags(changed.whole.warehouse, mart, columns, changed.found) == {True, False}
