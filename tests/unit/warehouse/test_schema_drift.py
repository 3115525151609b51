"""What differed at the tenant is noted with the load, and stays noted through rebuilds and folds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ion_pipeline.catalog.catalog import Table
from ion_pipeline.lake import Lake, SchemaDrift, TableRead
from ion_pipeline.warehouse import compact, rebuild
from tests.unit.warehouse.support import SMALL, TENANT, House, column

ORDERS = Table(
    "orders",
    "orders",
    (
        column("id", pa.int64()),
        replace(column("status", pa.string()), members=("OPEN", "DONE")),
        replace(column("colours", pa.list_(pa.string())), members=("red", "blue")),
        column("note", pa.string()),
    ),
    ("id",),
    is_child=False,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, (ORDERS,))


def order(number: int, status: str | None = None, *colours: str | None, note: str = "OPEN") -> dict[str, Any]:
    return {"id": number, "status": status, "colours": list(colours), "note": note}


def noted(house: House) -> list[tuple[Any, ...]]:
    return house.query("select * from raw._ion_schema_drift order by all")


def test_unknown_values_are_noted_and_kept(house: House) -> None:
    first = house.write({"orders": [order(1, "OPEN", "red"), order(2), order(3, "PAUSED", "red", None, "mauve")]})
    house.write({"orders": [order(4, "DONE", "blue", note="anything")]}, strategy="incremental")
    third = house.write(
        {"orders": [order(5, "open"), order(6, "PAUSED"), order(7, "PAUSED")]},
        strategy="incremental",
        gone={"orders": [{"id": 1}]},
    )
    house.load()
    assert noted(house) == [
        (first.load_id, "orders", "new_enum_value", "orders.colours", None, "mauve"),
        (first.load_id, "orders", "new_enum_value", "orders.status", None, "PAUSED"),
        (third.load_id, "orders", "new_enum_value", "orders.status", None, "PAUSED"),
        (third.load_id, "orders", "new_enum_value", "orders.status", None, "open"),
    ]
    assert house.query("select status, colours from raw.orders where id = 3") == [("PAUSED", ["red", None, "mauve"])]


def test_what_differed_is_in_the_manifest_and_in_the_books(house: House) -> None:
    drift = (
        SchemaDrift("orders", "missing", "Order.note", catalog_type="String"),
        SchemaDrift("orders", "new", "Order.weight", tenant_type="Float!"),
        SchemaDrift("orders", "retyped", "Order.id", "Int", "ID"),
    )
    with Lake(house.folder / "lake").begin(TENANT, {"orders": ORDERS.arrow_schema}) as writer:
        writer.write("orders", pa.RecordBatch.from_pylist([order(1, "LOST")], schema=ORDERS.arrow_schema))
        load = writer.commit({"orders": TableRead("orders")}, drift=drift)
    assert house.lake.loads() == [load]
    assert load.drift == drift
    house.load()
    expected = [
        (load.load_id, "orders", "missing", "Order.note", "String", None),
        (load.load_id, "orders", "new", "Order.weight", None, "Float!"),
        (load.load_id, "orders", "new_enum_value", "orders.status", None, "LOST"),
        (load.load_id, "orders", "retyped", "Order.id", "Int", "ID"),
    ]
    assert noted(house) == expected
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    assert noted(house) == expected
    house.write({"orders": []})
    house.load()
    compact(house.lake, house.folder / "scratch", house.tables, keep=0, resources=SMALL)
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    assert noted(house) == expected
