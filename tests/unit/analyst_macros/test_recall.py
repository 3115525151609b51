"""`recall` follows all splits: through long chains, and through pieces that are split from each other."""

import duckdb
import pytest

from tests.contract.analyst_macros import COMPARE

TABLES = """
create schema genealogy; create schema reference;
create table reference.part_inventories (
    part_inventory_id bigint, part_id bigint, part_number varchar, part_revision varchar, serial_number varchar,
    lot_number varchar, status varchar, location_path varchar, origin_part_inventory_id bigint
);
create table genealogy.abom_where_used (
    component_part_inventory_id bigint, ancestor_part_inventory_id bigint, is_top_level boolean, min_depth integer,
    path_count bigint, quantity_extended double
);
create table genealogy.abom_hierarchy (
    root_part_inventory_id bigint, part_inventory_id bigint, depth integer, sort_key varchar, path_text varchar
);
"""
LOT, TOP = "L-1", 9_999


def recalled(
    origins: dict[int, int | None], installed: set[int], *, part_number: str | None = "P", part: str = "P"
) -> list[int]:
    """Pieces of a lot that `recall` finds, if each piece in `installed` is in the single top-level unit."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(COMPARE.with_name("recall.sql").read_text("utf-8"))
        for piece, origin in origins.items():
            lot = LOT if piece == 1 else None
            connection.execute(
                "insert into reference.part_inventories values (?, 7, ?, 'A', null, ?, 'AVAILABLE', null, ?)",
                [piece, part_number, lot, origin],
            )
        connection.execute(
            "insert into reference.part_inventories values (?, 8, 'TOP', 'A', 'S', null, '', '', null)", [TOP]
        )
        for piece in installed:
            connection.execute("insert into genealogy.abom_where_used values (?, ?, true, 1, 1, 1)", [piece, TOP])
            connection.execute("insert into genealogy.abom_hierarchy values (?, ?, 1, '1', 'TOP > P')", [TOP, piece])
        rows = connection.execute("select component_part_inventory_ids from recall(?, ?)", [part, LOT]).fetchall()
    return sorted(piece for (pieces,) in rows for piece in pieces)


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 66, 200])
def test_the_last_piece_of_a_chain_is_found(length: int) -> None:
    chain: dict[int, int | None] = {piece: piece - 1 or None for piece in range(1, length + 1)}
    assert recalled(chain, {length}) == [length]


def test_pieces_that_are_split_from_each_other_are_found_once() -> None:
    assert recalled({1: 3, 2: 1, 3: 2, 4: 3, 5: None}, {2, 4, 5}) == [2, 4]


@pytest.mark.parametrize(("part", "found"), [("part 7", [2]), ("P", []), ("part 8", [])])
def test_a_part_that_ion_withholds_is_identified_by_its_id(part: str, found: list[int]) -> None:
    assert recalled({1: None, 2: 1}, {2}, part_number=None, part=part) == found
