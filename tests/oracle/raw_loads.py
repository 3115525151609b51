"""Writes a sequence of worlds as raw tables and their history, with one load per world.

It writes rows and versions directly, without the loader, so that hundreds of small histories take seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.warehouse import find_controlled
from tests.oracle.world import Row, World

Rows = dict[tuple[Any, ...], Row]

_COLUMNS = {
    "parts": {"id": "id", "partNumber": "part_number", "revision": "revision", "revisedFromId": "revised_from_id",
              "trackingType": "tracking_type", "description": "description",
              "exportControlled": "export_controlled"},
    "partInventories": {"id": "id", "partId": "part_id", "serialNumber": "serial_number", "lotNumber": "lot_number",
                        "trackingType": "tracking_type", "quantity": "quantity", "status": "status"},
    "buildRequirements": {"id": "id", "partId": "part_id", "originMbomItemId": "origin_mbom_item_id",
                          "madeOnAssembly": "made_on_assembly",
                          "quantityPerParentPartInventory": "quantity_per_parent_part_inventory",
                          "fixedQuantityPerBuildRequirement": "fixed_quantity_per_build_requirement"},
    "abomInstallations": {"id": "id", "buildRequirementId": "build_requirement_id", "quantity": "quantity",
                          "partInventoryId": "part_inventory_id",
                          "buildRequirementReferenceDesignatorId": "build_requirement_reference_designator_id"},
    "abomItems": {"id": "id", "partInventoryId": "part_inventory_id", "partId": "part_id", "quantity": "quantity",
                  "originMbomItemId": "origin_mbom_item_id", "expectedQuantityPer": "expected_quantity_per",
                  "expectedFixedQuantity": "expected_fixed_quantity"},
    "aBomEdges": {"id": "id", "parentAbomItemId": "parent_abom_item_id", "childAbomItemId": "child_abom_item_id"},
    "mbomItems": {"id": "id", "mbomId": "mbom_id", "partId": "part_id", "madeOnAssembly": "made_on_assembly"},
    "mbomSubstitutes": {"id": "id", "mbomItemId": "mbom_item_id", "partId": "part_id"},
    "users": {"id": "id", "name": "name"},
}  # fmt: skip
_TABLES = {
    "parts": "parts",
    "partInventories": "part_inventories",
    "buildRequirements": "build_requirements",
    "abomInstallations": "abom_installations",
    "abomItems": "abom_items",
    "aBomEdges": "abom_edges",
    "mbomItems": "mbom_items",
    "mbomSubstitutes": "mbom_substitutes",
    "users": "users",
}
_STAMPS = {"_created": "_created", "_updated": "_updated", "createdById": "created_by_id"}


def write_loads(path: Path, loads: Sequence[tuple[datetime, World]]) -> None:
    """Write a warehouse whose `raw` is the last world and whose `raw_history` is all of them."""
    path.write_bytes(_empty_warehouse())
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        for place, (at, _) in enumerate(loads):
            load_id = f"LOAD{place:04}"
            connection.execute(
                "insert into raw._ion_loads (load_id, started_at, valid_from, loaded_at) values (?, ?, ?, ?)",
                [load_id, at, at, at],
            )
        for table, versions in _histories(loads).items():
            connection.executemany(
                "insert into raw._ion_load_tables (load_id, table_name, entity, strategy) values (?, ?, ?, 'full')",
                [[f"LOAD{place:04}", table, table] for place in range(len(loads))],
            )
            if versions:
                _insert(connection, f"raw_history.{table}", versions)
                current = [row for row in versions if row["is_current"]]
                dropped = ("valid_from", "valid_to", "is_current")
                if current:
                    _insert(
                        connection,
                        f"raw.{table}",
                        [{k: v for k, v in row.items() if k not in dropped} for row in current],
                    )
        _find_controlled(connection)


@cache
def _empty_warehouse() -> bytes:
    """The file of a warehouse with every table and no load: creating hundreds of tables takes half a second."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            _find_controlled(connection)
        return path.read_bytes()


def _find_controlled(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are not there, and find what is under export control if there is a load."""
    find_controlled(connection, references(known_schema(), known_catalog()), known_catalog().tables.values(), "")


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    arrow = pa.Table.from_pylist(rows)
    connection.register("rows_to_insert", arrow)
    connection.execute(f"insert into {table} by name select * from rows_to_insert")  # noqa: S608 -- own names
    connection.unregister("rows_to_insert")


def _histories(loads: Iterable[tuple[datetime, World]]) -> dict[str, list[Row]]:
    histories: dict[str, list[Row]] = {}
    standing: dict[str, Rows] = {}
    for at, world in loads:
        for table, rows in _tables(world):
            found = {tuple(row.values())[: _KEY_LENGTH.get(table, 1)]: row for row in rows}
            before = standing.setdefault(table, {})
            versions = histories.setdefault(table, [])
            for key, row in list(before.items()):
                content = {name: value for name, value in row.items() if name not in ("valid_from", "valid_to")}
                if found.get(key) != {k: v for k, v in content.items() if k != "is_current"}:
                    row |= {"valid_to": at, "is_current": False}
                    del before[key]
            for key, new in found.items():
                if key not in before:
                    before[key] = {**new, "valid_from": at, "valid_to": None, "is_current": True}
                    versions.append(before[key])
    return histories


_KEY_LENGTH = {
    "build_requirement_part_inventories": 2,
    "build_requirement_reference_designators": 2,
    "abom_item_reference_designators": 2,
}


def _tables(world: World) -> Iterator[tuple[str, list[Row]]]:
    for entity, table in _TABLES.items():
        names = _COLUMNS[entity] | ({} if entity == "users" else _STAMPS)
        yield table, [{column: row.get(name) for name, column in names.items()} for row in world[entity]]
    requirements = world["buildRequirements"]
    yield (
        "build_requirement_part_inventories",
        [{"build_requirement_id": r["id"], "part_inventory_id": unit["id"]} for r in requirements
         for unit in r["partInventories"]],
    )  # fmt: skip
    yield (
        "build_requirement_reference_designators",
        [{"build_requirement_id": r["id"], "id": d["id"], "value": d["value"]} for r in requirements
         for d in r["referenceDesignators"]],
    )  # fmt: skip
    yield (
        "abom_item_reference_designators",
        [{"abom_item_id": item["id"], "id": item["referenceDesignator"]["id"],
          "value": item["referenceDesignator"]["value"]}
         for item in world["abomItems"] if item.get("referenceDesignator")],
    )  # fmt: skip
