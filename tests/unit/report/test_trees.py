"""The trees on the page: those requested by name, then the newest top-level ones that fit."""

from collections.abc import Iterator

import duckdb
import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.report.model import Trees
from ion_pipeline.report.trees import read_trees

# Unit: lines of its tree, whether it is top-level, when it was created.
UNITS = {1: (3, True, 1), 2: (2, True, 2), 3: (9, True, 3), 4: (4, True, 4), 5: (5, False, 5), 6: (1, True, 6)}


@pytest.fixture
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema genealogy")
        connection.execute("create schema production")
        connection.execute(
            "create table genealogy.abom_hierarchy (root_part_inventory_id bigint, sort_key varchar, depth integer, "
            "part_inventory_id bigint, part_id bigint, part_number varchar, part_revision varchar, "
            "part_description varchar, serial_number varchar, lot_number varchar, reference_designator varchar, "
            "quantity_required double, "
            "quantity_installed double, is_open_requirement boolean, is_made_on_assembly boolean, "
            "is_substitute boolean)"
        )
        connection.execute(
            "create table production.serialized_units "
            "(part_inventory_id bigint, is_top_level boolean, created_at integer)"
        )
        for unit, (lines, is_top, made) in UNITS.items():
            connection.execute("insert into production.serialized_units values ($1, $2, $3)", [unit, is_top, made])
            # Stored in reverse, because the sort key defines the order.
            for line in reversed(range(lines)):
                connection.execute(
                    "insert into genealogy.abom_hierarchy by name select $1 as root_part_inventory_id, $2 as sort_key, "
                    "$3 as depth, $4 as serial_number",
                    [unit, f"{line}", min(line, 1), f"{unit}/{line}"],
                )
        yield connection


def chosen(trees: Trees) -> list[int]:
    return [int((tree[0].serial_number or "").split("/")[0]) for tree in trees.trees]


def test_newest_top_level_units_with_something_in_them(published: duckdb.DuckDBPyConnection) -> None:
    trees = read_trees(published, named=[], units=10)
    assert chosen(trees) == [4, 3, 2, 1]
    assert (trees.named, trees.top_level_count) == (0, 4)
    assert [line.serial_number for line in trees.trees[0]] == ["4/0", "4/1", "4/2", "4/3"]


def test_the_number_of_units_is_limited(published: duckdb.DuckDBPyConnection) -> None:
    assert chosen(read_trees(published, named=[], units=2)) == [4, 3]
    none = read_trees(published, named=[], units=0)
    assert (chosen(none), none.top_level_count) == ([], 4)


def test_requested_units_come_first_and_only_once(published: duckdb.DuckDBPyConnection) -> None:
    trees = read_trees(published, named=[5, 2, 5, 6], units=2)
    assert chosen(trees) == [5, 2, 6, 4, 3]
    assert trees.named == 3


def test_a_tree_that_is_too_large_is_skipped(published: duckdb.DuckDBPyConnection) -> None:
    assert chosen(read_trees(published, named=[], units=10, max_lines=9)) == [4, 2, 1]
    assert chosen(read_trees(published, named=[5], units=10, max_lines=9)) == [5, 4]


def test_requested_trees_must_fit(published: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SettingsError, match="have 14 lines; a report shows at most 13"):
        read_trees(published, named=[3, 5], units=10, max_lines=13)
