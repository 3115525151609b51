"""World files are read back unchanged; invalid ones are refused with file, line and reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.sandbox.world import World, WorldError, check_world, read_world, write_world
from tests.unit.sandbox.small_world import small_world

NASTY = 'tab\tnewline\nquote" back\\slash nul-free \u2028 line sep \U0001f680 rtl \u202e e\u0301 ' + "x" * 1_000_000


def test_a_world_reads_back_as_it_was(tmp_path: Path) -> None:
    world = small_world()
    world.truths = {"lot": {"affected": [1, 2]}}
    world.tables["parts"][0]["description"] = NASTY
    world.tables["parts"][0]["cost"] = None
    write_world(world, tmp_path)
    read = read_world(tmp_path)
    del world.tables["parts"][0]["cost"]
    assert read.tables == world.tables
    assert read.truths == world.truths
    assert read.organization == {"orgSchema": "sandbox"} | world.organization


def test_the_same_world_is_the_same_bytes_whatever_the_order_of_its_fields(tmp_path: Path) -> None:
    world = small_world()
    write_world(world, tmp_path / "a")
    world.tables = {
        root: [dict(reversed(row.items())) for row in rows] for root, rows in reversed(world.tables.items())
    }
    write_world(world, tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "parts.ndjson" in files
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_writing_again_removes_the_previous_world(tmp_path: Path) -> None:
    write_world(small_world(), tmp_path)
    write_world(World(tables={"users": [{"id": 1}]}), tmp_path)
    assert read_world(tmp_path).tables == {"users": [{"id": 1}]}


BAD_ROWS: dict[str, tuple[str, Any, str]] = {
    "unknown field": ("parts", {"id": 1, "partNumbr": "x"}, 'unknown field "partNumbr"'),
    "wrong type": ("parts", {"id": 1, "leadTime": "7"}, "field \"leadTime\": '7' is not a whole number"),
    "float for an int": ("parts", {"id": 1, "leadTime": 7.5}, "7.5 is not a whole number"),
    "bool for an int": ("parts", {"id": 1, "leadTime": True}, "True is not a whole number"),
    "too big": ("parts", {"id": 2**31}, "does not fit GraphQL's 32-bit Int"),
    "number for text": ("parts", {"id": 1, "partNumber": 7}, "7 is not text"),
    "text for a bool": ("parts", {"id": 1, "exportControlled": "no"}, "'no' is not true or false"),
    "text for a float": ("parts", {"id": 1, "cost": "1.5"}, "'1.5' is not a number"),
    "enum": ("partInventories", {"id": 1, "status": "LOST"}, "'LOST' is not one of InventoryStatus: AVAILABLE, "),
    "instant": ("parts", {"id": 1, "_created": "yesterday"}, "'yesterday' is not an ISO 8601 instant"),
    "no id": ("parts", {"partNumber": "x"}, 'field "id" is missing'),
    "no half of a key": ("issueRelations", {"originIssueId": 1}, 'field "relatedIssueId" is missing'),
    "null where none may be": ("parts", {"id": 1, "partNumber": None}, 'field "partNumber" is null'),
    "not an object": ("parts", [1], "it is not a JSON object"),
    "a link that is no object": ("parts", {"id": 1, "partSubtypes": [3]}, "a link to a PartSubtype is"),
    "a link with more": (
        "parts",
        {"id": 1, "partSubtypes": [{"id": 3, "name": "x"}]},
        'field "partSubtypes"[0]: a link',
    ),
    "a list that is none": ("parts", {"id": 1, "partSubtypes": {"id": 3}}, 'field "partSubtypes" is not a list'),
    "bad inline row": (
        "parts",
        {"id": 1, "attributes": [{"key": "a", "value": {}}]},
        'field "attributes"[0]: field "value"',
    ),
    "inline row without key": ("parts", {"id": 1, "attributes": [{"value": "x"}]}, 'field "key" is missing'),
    "a key twice": ("parts", {"id": 1, "attributes": [{"key": "a"}, {"key": "a"}]}, "a key occurs twice"),
    "a connection inline": ("steps", {"id": 1, "datagridRows": []}, "its rows belong in a file of their own"),
    "not a user or part": ("runStepFields", {"id": 1, "ionValue": {"id": 1}}, "a link to a User or a Part"),
    "not JSON text": ("redlines", {"id": 1, "initialState": "{"}, "is not JSON text"),
    "list item": ("procedures", {"id": 1, "labels": ["a", 1]}, "1 is not text"),
}


@pytest.mark.parametrize(("root", "row", "reason"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_refused_with_file_line_and_reason(tmp_path: Path, root: str, row: Any, reason: str) -> None:
    good = {"originIssueId": 5, "relatedIssueId": 6} if root == "issueRelations" else {"id": 99}
    (tmp_path / f"{root}.ndjson").write_text(f"{json.dumps(good)}\n\n{json.dumps(row)}\n")
    with pytest.raises(WorldError) as refused:
        read_world(tmp_path)
    assert f"{root}.ndjson, line 3: " in str(refused.value)
    assert reason in str(refused.value)
    with pytest.raises(WorldError, match=f"{root}, row 2: "):
        check_world(World(tables={root: [good, row]}))


def test_a_duplicate_id_is_refused_with_both_lines(tmp_path: Path) -> None:
    (tmp_path / "parts.ndjson").write_text('{"id": 1}\n{"id": 2}\n{"id": 1}\n')
    with pytest.raises(WorldError, match=r"line 3: id 1 is already on line 1"):
        read_world(tmp_path)


def test_invalid_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parts.ndjson").write_text('{"id": 1}\n{"id": \n')
    with pytest.raises(WorldError, match=r"line 2: it is not JSON"):
        read_world(tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("partz.ndjson", "Did you mean parts"),
        ("parts.csv", "not part of a world"),
        ("zzz.ndjson", "no root connection"),
    ],
)
def test_unknown_files_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_text("{}\n")
    with pytest.raises(WorldError, match=reason):
        read_world(tmp_path)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="is not a directory"):
        read_world(tmp_path / "nowhere")


def test_a_bad_organization_is_refused(tmp_path: Path) -> None:
    (tmp_path / "organization.json").write_text('{"id": "three"}')
    with pytest.raises(WorldError, match=r"organization.json: field \"id\""):
        read_world(tmp_path)
