"""The integrity tests' macro for quantities at instants, compared with the model on random and planted loads."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dbt.models import PROJECT, render, sql_of

RAW = """
create schema raw;
create schema raw_history;
create table raw.part_inventories (
    id bigint, origin_part_inventory_id bigint, _created timestamptz, serial_number varchar, quantity double,
    quantity_scrapped double);
create table raw_history.part_inventories (
    id bigint, serial_number varchar, quantity double, quantity_scrapped double, _updated timestamptz,
    valid_from timestamptz);
create table raw.runs (id bigint, part_inventory_id bigint, quantity bigint);
create table raw.run_steps (run_id bigint, status varchar, start_time timestamptz, end_time timestamptz);
create table asked (part_inventory_id bigint, asked_at timestamptz);
create view stg_ion__part_inventories as select
    id as part_inventory_id, origin_part_inventory_id, _created as created_at, serial_number, quantity,
    quantity_scrapped, null as lot_number, 1 as part_id, 1 as supplier_id, 'A' as status, false as is_export_controlled
from raw.part_inventories;
create view stg_ion_history__part_inventories as select
    id as part_inventory_id, serial_number, quantity, quantity_scrapped, _updated as updated_at, valid_from
from raw_history.part_inventories;
create view stg_ion__parts as select 1 as part_id, 'P' as part_number, 'A' as part_revision;
create view int_inventories__work as select
    runs.part_inventory_id, max(runs.quantity) as run_quantity
from raw.runs where runs.id in (select run_steps.run_id from raw.run_steps) group by 1;
create view int_inventories__worked_instants as select distinct part_inventory_id, asked_at as worked_at from asked;
"""
MODELS = ("int_inventories__pieces", "int_inventories__split_origins", "int_inventories__worked_quantities")
MODEL = "select part_inventory_id, worked_at, quantity, split_off_since from int_inventories__worked_quantities"
TABLES = ("raw.part_inventories", "raw_history.part_inventories", "raw.runs", "raw.run_steps", "asked")


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("set threads = 1; set timezone = 'UTC'")
        made.execute(RAW)
        for model in MODELS:
            made.execute(f"create view {model} as {sql_of(model)}")
        yield made


def compared(
    connection: duckdb.DuckDBPyConnection, lots: list[dict[str, Any]], gone: list[int]
) -> tuple[list[Any], list[Any]]:
    """Return the results of the model and of the macro for every lot on every third day.

    Args:
        connection: The empty database of models.
        lots: `origin`, `created`, `serial` and `states` (day of ION's change, day of the load, quantity) of each lot.
        gone: Lots that exist only in history.
    """
    for name in TABLES:
        connection.execute(f"delete from {name}")  # noqa: S608 -- names of this repository
    for lot, row in enumerate(lots, 1):
        if lot not in gone:
            connection.execute(
                "insert into raw.part_inventories values (?, ?, ?, ?, ?, 1.0)",
                [lot, row["origin"], day(row["created"]), row["serial"], row["states"][-1][2]],
            )
        for changed, seen, quantity in row["states"]:
            connection.execute(
                "insert into raw_history.part_inventories values (?, ?, ?, 1.0, ?, ?)",
                [lot, row["serial"], quantity, day(changed), day(seen)],
            )
        connection.execute("insert into raw.runs values (?, ?, 7)", [lot, lot])
        connection.execute("insert into raw.run_steps values (?, 'COMPLETE', ?, null)", [lot, day(1)])
        for number in range(1, 29, 3):
            connection.execute("insert into asked values (?, ?)", [lot, day(number)])
    macro = render("select part_inventory_id, asked_at, quantity, split_off_since from {{ pieces_then('asked') }}")
    return sorted(connection.execute(MODEL).fetchall()), sorted(connection.execute(macro).fetchall())


@st.composite
def stocks(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw up to five lots, split from each other in any way (also in cycles), each with up to three states."""
    count = draw(st.integers(1, 5))
    states = st.lists(
        st.tuples(st.integers(1, 28), st.integers(1, 28), st.integers(0, 50).map(float)),
        min_size=1,
        max_size=3,
        unique_by=lambda state: state[1],
    )
    return [
        {
            "origin": draw(st.none() | st.integers(1, count)),
            "created": draw(st.integers(1, 28)),
            "serial": draw(st.sampled_from([None, None, None, "S"])),
            "states": sorted(draw(states), key=lambda state: state[1]),
        }
        for _ in range(count)
    ]


@settings(max_examples=40, deadline=None)
@given(stocks(), st.lists(st.integers(1, 5), max_size=1))
def test_both_ways_agree(connection: duckdb.DuckDBPyConnection, lots: list[dict[str, Any]], gone: list[int]) -> None:
    model, macro = compared(connection, lots, gone)
    assert model
    assert model == macro


def test_planted_weights(connection: duckdb.DuckDBPyConnection) -> None:
    """Loads on the 5th and the 20th: 100 pieces, 20 split off on the 8th, 30 on the 15th."""
    lots = [
        {"origin": None, "created": 1, "serial": None, "states": [(5, 5, 99.0), (15, 20, 49.0)]},
        {"origin": 1, "created": 8, "serial": None, "states": [(8, 20, 19.0)]},
        {"origin": 1, "created": 15, "serial": None, "states": [(15, 20, 29.0)]},
    ]
    _, macro = compared(connection, lots, [])
    held = {(lot, at.astimezone(UTC).day): quantity for lot, at, quantity, _ in macro}
    assert (held[1, 4], held[1, 7], held[1, 10], held[1, 16]) == (100.0, 100.0, 80.0, 50.0)


@pytest.mark.parametrize("name", ["first_pass_yield_from_raw", "units_tried_from_rows", "defects_from_rows"])
def test_integrity_tests_do_not_take_quantities_from_the_model(name: str) -> None:
    """If both sides took the quantity from one model, a test would compare that model with itself."""
    text = (PROJECT / "tests" / "integrity" / f"{name}.sql").read_text(encoding="utf-8")
    assert "pieces_then(" in text
    read = set(re.findall(r"ref\('(\w+)'\)", text))
    assert {
        model for model in read if model.startswith(("int_inventories__", "int_issues__", "int_quality__"))
    } == set()
