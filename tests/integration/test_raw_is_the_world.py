"""`raw` holds what the world's files hold: every entity, every row, every value; nothing lost, nothing twice."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.catalog.catalog import Entity, known_catalog
from tests.integration.conftest import Built
from tests.integration.support.warehouse import same

pytestmark = pytest.mark.slow

ENTITIES = [known_catalog().entities[name] for name in known_catalog().default_selection]


def world_rows(world: Path, entity: Entity) -> list[dict[str, Any]]:
    # Lines end with \n alone: text may hold every other line break that Python knows.
    text = (world / f"{entity.root_field}.ndjson").read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def raw_rows(built: Built, table: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.table(f"raw.{table}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_every_value_of_every_row(entity: Entity, demo_warehouse: Built) -> None:
    def key_of(row: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(row.get(name)) for name in names)

    fields = {column.name: column.field for column in entity.columns}
    in_world = {
        key_of(row, tuple(fields[name] for name in entity.key)): row for row in world_rows(demo_warehouse.world, entity)
    }
    in_raw = {key_of(row, entity.key): row for row in raw_rows(demo_warehouse, entity.name)}
    assert in_world
    assert len(raw_rows(demo_warehouse, entity.name)) == len(in_raw)
    assert in_raw.keys() == in_world.keys()
    differences = [
        (key, column.name)
        for key, row in in_world.items()
        for column in entity.columns
        # What a file leaves out and the schema does not allow to be null, the sandbox fills in.
        if column.field in row and not same(column, in_raw[key][column.name], row[column.field])
    ]
    assert differences == []


def test_attributes_of_parts_one_row_each(demo_warehouse: Built) -> None:
    parts = world_rows(demo_warehouse.world, known_catalog().entities["parts"])
    planted = {(part["id"], one["key"]) for part in parts for one in part.get("attributes") or ()}
    assert planted
    assert {(row["part_id"], row["key"]) for row in raw_rows(demo_warehouse, "part_attributes")} == planted


def test_awkward_text_survives_to_the_published_file(demo_warehouse: Built) -> None:
    parts = world_rows(demo_warehouse.world, known_catalog().entities["parts"])
    longest = max((part["description"] or "" for part in parts), key=len)
    comments = world_rows(demo_warehouse.world, known_catalog().entities["comments"])
    assert max(len(longest), *(len(comment.get("content") or "") for comment in comments)) >= 1_000_000
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        published = dict(connection.execute("select part_id, part_description from reference.parts").fetchall())
    assert published == {part["id"]: part["description"] for part in parts}
