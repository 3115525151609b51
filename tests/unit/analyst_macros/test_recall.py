"""`recall` follows all splits: through long chains, and through pieces that are split from each other."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.contract.analyst_macros import COMPARE

TABLES = """
create schema genealogy; create schema reference; create schema ops;
create table genealogy.abom_installations (parent_part_inventory_id bigint, child_part_inventory_id bigint);
create table ops.freshness (entity varchar, last_read_at timestamptz);
create table ops.loads (is_latest boolean, rows_read bigint);
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


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(TABLES)
        opened.execute(COMPARE.with_name("recall.sql").read_text("utf-8"))
        yield opened


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


def test_units_in_and_above_a_ring_come_first_and_are_marked(connection: duckdb.DuckDBPyConnection) -> None:
    """Lot 1 is in 2, which is in a ring with 3; 4 holds 3. It is also in 5, which is in 6. 7 contains nothing of it."""
    for unit in range(1, 8):
        connection.execute(
            "insert into reference.part_inventories values (?, 7, 'P', 'A', ?, ?, 'AVAILABLE', null, null)",
            [unit, f"S-{unit}", LOT if unit == 1 else None],
        )
    # The edges of the ring are in no tree, but 1 is in the tree of 2, and 3 in that of 4.
    for component, ancestor, is_top in ((1, 2, False), (3, 4, True), (1, 5, False), (5, 6, True), (1, 6, True)):
        connection.execute(
            "insert into genealogy.abom_where_used values (?, ?, ?, 1, 1, 1)", [component, ancestor, is_top]
        )
    connection.execute("insert into genealogy.abom_hierarchy values (6, 1, 2, '1', 'way'), (2, 1, 1, '1', 'way')")
    for parent, child in ((2, 1), (3, 2), (2, 3), (4, 3), (5, 1), (6, 5)):
        connection.execute("insert into genealogy.abom_installations values (?, ?)", [parent, child])
    rows = connection.execute(
        "select part_inventory_id, is_in_tree, path_count, path_text from recall('P', ?)", [LOT]
    ).fetchall()
    assert [row[:3] for row in rows] == [(3, False, None), (4, False, None), (6, True, 1)]
    assert {row[3].partition(":")[0] for row in rows} == {"in no tree with it", "way"}


@pytest.mark.parametrize(
    ("never_read", "rows_read", "says"),
    [
        (
            ("abom_installations", "build_requirements", "abom_edges"),
            5,
            "abom_installations, build_requirements of ION",
        ),
        (("abom_edges", "abom_items", "parts"), 5, None),
        (("abom_items", "build_requirements"), 5, "build_requirements of ION never read"),
        ((), None, "Rows under export control are left out"),
        ((), 5, None),
    ],
)
def test_the_first_row_says_what_was_not_read(
    connection: duckdb.DuckDBPyConnection, never_read: tuple[str, ...], rows_read: int | None, says: str | None
) -> None:
    entities = ("abom_edges", "abom_installations", "abom_items", "build_requirements", "parts")
    for entity in entities:
        connection.execute(
            "insert into ops.freshness values (?, case when not ? then timestamptz '2026-01-01' end)",
            [entity, entity in never_read],
        )
    connection.execute("insert into ops.loads values (true, ?), (false, null)", [rows_read])
    rows = connection.execute("select part_number, part_inventory_id, path_text from recall('P', 'L')").fetchall()
    if says is None:
        assert rows == []
    else:
        [(part, unit, reason)] = rows
        assert (part, unit) == ("INCOMPLETE", None)
        assert says in reason
