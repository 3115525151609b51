"""Which files belong to an issue, a run, a unit and everything in it: the published file against the world."""

import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.publish.attachments import Attachments, Choice, UnknownOwnerError, open_attachments
from tests.integration.conftest import Built
from tests.integration.support.file_tenant import files_in
from tests.oracle.world import Row, World, read_world_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(demo_world: Path) -> World:
    return read_world_dir(demo_world)


def ids_in(*rows: Row) -> set[int]:
    """The files in rows, and those that a column or an attribute names."""
    found = {row["id"] for row in files_in(list(rows))}
    named = [row.get(column) for row in rows for column in ("pdfAssetId", "fileAttachmentId")]
    named += [attribute.get("fileAttachmentId") for row in rows for attribute in row.get("attributes") or ()]
    return found | {number for number in named if number}


def test_the_files_of_an_issue_a_run_and_a_unit(demo_warehouse: Built, world: World) -> None:
    with open_attachments(demo_warehouse.published.parent) as published:
        _compare_choices(published, world)


def _compare_choices(published: Attachments, world: World) -> None:
    steps_of: dict[int, list[Row]] = defaultdict(list)
    for step in world["runSteps"]:
        steps_of[step["runId"]].append(step)
    fields_of: dict[int, list[Row]] = defaultdict(list)
    for field in world["runStepFields"]:
        fields_of[field["runStepId"]].append(field)

    def of_run(run: Row) -> set[int]:
        steps = steps_of[run["id"]]
        return ids_in(run, *steps, *(field for step in steps for field in fields_of[step["id"]]))

    def listed(**choice: Any) -> set[int]:
        return {file.file_attachment_id for file in published.chosen(Choice(**choice))}

    issues = {issue["id"]: ids_in(issue) for issue in world["issues"]}
    runs = {run["id"]: of_run(run) for run in world["runs"]}
    some = [number for number, files in runs.items() if files][:6]
    assert len(some) > 3
    assert any(issues.values())
    for number in [*some, next(number for number, files in runs.items() if not files)]:
        assert listed(runs=[number]) == runs[number]
    for number in (next(number for number, files in issues.items() if files), min(issues)):
        assert listed(issues=[number]) == issues[number]
    assert listed(issues=list(issues), runs=some) == set().union(*issues.values(), *(runs[number] for number in some))

    links = {(link["issueId"], link["partInventoryId"]) for link in world["issuePartInventories"]}
    links |= {(issue["id"], issue.get("partInventoryId")) for issue in world["issues"]}
    received = {(item["receiptId"], item["partInventoryId"]) for item in world["receiptItems"]}
    made: dict[int, set[int]] = defaultdict(set)
    for run in world["runs"]:
        for number in {run.get("partInventoryId"), *(link["id"] for link in run.get("originPartInventories") or ())}:
            made[number or 0].add(run["id"])
    units = {}
    for unit in world["partInventories"]:
        number = unit["id"]
        units[number] = ids_in(unit).union(
            *(runs[run] for run in made[number]),
            *(issues[issue] for issue, of in links if of == number),
            *(ids_in(row) for row in world["receipts"] if (row["id"], number) in received),
        )
    several = sorted(units, key=lambda number: len(units[number]))[-4:]
    assert len(units[several[0]]) > 0
    for number in several:
        assert listed(units=[f"#{number}"]) == units[number]


def test_the_files_of_everything_installed_in_a_unit(demo_warehouse: Built, world: World, tmp_path: Path) -> None:
    requirements = {row["id"]: {link["id"] for link in row["partInventories"]} for row in world["buildRequirements"]}
    parents: dict[int, set[int]] = defaultdict(set)
    for row in world["abomInstallations"]:
        parents[row["partInventoryId"]] |= requirements.get(row.get("buildRequirementId"), set())
    # A unit with a unit inside that has a unit inside, each with one place.
    grandparent, parent, child = next(
        (*parents[min(above)], *above, number)
        for number, above in sorted(parents.items())
        if len(above) == 1 and len(parents[min(above)]) == 1 and not parents[min(parents[min(above)])]
    )
    published = tmp_path / "published"
    published.mkdir()
    shutil.copyfile(demo_warehouse.published, published / "ion.duckdb")
    with duckdb.connect(str(published / "ion.duckdb")) as connection:
        connection.executemany(
            "insert into ion.part_inventory_file_attachments (part_inventory_id, file_attachment_id, filename) "
            "values ($1, $1 + 1000000, 'planted.pdf')",
            [[number] for number in (grandparent, parent, child)],
        )
    with open_attachments(published) as attachments:
        for number, expected in (
            (grandparent, {grandparent, parent, child}),
            (parent, {parent, child}),
            (child, {child}),
        ):
            found = attachments.chosen(Choice(units=[f"#{number}"], with_components=True))
            planted = {file.file_attachment_id - 1_000_000 for file in found if file.filename == "planted.pdf"}
            assert planted == expected
            alone = attachments.chosen(Choice(units=[f"#{number}"]))
            assert [file.owners for file in alone if file.filename == "planted.pdf"] == [(f"part_inventory {number}",)]


def test_what_does_not_exist_is_named(demo_warehouse: Built) -> None:
    with open_attachments(demo_warehouse.published.parent) as published:
        for choice in (Choice(issues=[999_999]), Choice(runs=[999_999]), Choice(ids=[999_999])):
            with pytest.raises(UnknownOwnerError, match="999999"):
                published.chosen(choice)
