"""The comparison finds every kind of difference."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.oracle.compare import assert_prints_as_tree, assert_same, warehouse_hierarchy

ROWS = [{"id": 1, "quantity": Fraction(1, 3), "name": "a"}, {"id": 2, "quantity": None, "name": "b"}]


def test_equal_within_tolerance_in_any_order_and_with_further_columns() -> None:
    assert_same(ROWS, [{"id": 2, "quantity": None, "name": "b"}, {**ROWS[0], "quantity": 1 / 3, "more": 1}], key=["id"])


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        (ROWS[:1], "missing: 1"),
        ([*ROWS, {"id": 3, "quantity": 1, "name": "c"}], "extra: 1"),
        ([ROWS[0], {**ROWS[1], "quantity": 0.0}], "quantity None expected, 0 found"),
        ([{**ROWS[0], "quantity": 0.33333333}, ROWS[1]], "quantity 0.333333333333 expected, 0.33333333 found"),
        ([{**ROWS[0], "name": "A"}, ROWS[1]], "name a expected, A found"),
        ([*ROWS, ROWS[1]], "occurs twice"),
        ([{"id": 1, "name": "a"}, ROWS[1]], "columns missing on the actual side: ['quantity']"),
    ],
)
def test_differences_are_named(actual: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(AssertionError) as raised:
        assert_same(ROWS, actual, key=["id"])
    assert message in str(raised.value)


def test_comparing_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="nothing to compare"):
        assert_same([], [], key=["id"])


def test_a_flag_is_not_a_number() -> None:
    with pytest.raises(AssertionError, match="flag True expected, 1 found"):
        assert_same([{"id": 1, "flag": True}], [{"id": 1, "flag": 1}], key=["id"])


def test_long_differences_are_cut_short() -> None:
    with pytest.raises(AssertionError, match=r"extra: 40[\s\S]*… and 30 more"):
        assert_same(ROWS, [*ROWS, *({"id": n, "quantity": 0, "name": ""} for n in range(10, 50))], key=["id"])


def _row(root: int, *path: str, text: str) -> dict[str, Any]:
    key = "".join(f"/{edge}" for edge in path)
    return {"root_part_inventory_id": root, "path": path, "path_key": key, "path_text": text}


TREE = [
    _row(1, text="A"),
    _row(1, "i1", text="A > B"),
    _row(1, "i1", "r2", text="A > B > C"),
    _row(1, "i3", text="A > D"),
    _row(2, text="B"),
]


def test_a_printed_tree() -> None:
    assert_prints_as_tree(TREE)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([TREE[0], TREE[3], TREE[2], TREE[1]], "out of place"),
        ([TREE[0], TREE[2]], "out of place"),
        ([*TREE, _row(1, text="A")], "are not contiguous"),
        ([TREE[0], _row(1, "i1", text="B")], "'B' under"),
        ([TREE[0], {**TREE[1], "path_key": "i1"}], "ill-formed path_key"),
        ([], "nothing to compare"),
    ],
)
def test_a_tree_out_of_order_is_noticed(tree: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_prints_as_tree(tree)


def test_reading_a_published_tree(tmp_path: Path) -> None:
    file = tmp_path / "ion.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema genealogy")
        connection.execute(
            """
            create table genealogy.abom_hierarchy as
            from (values (1, '/i4/r2', 'b', [1, 3]), (1, '', 'a', [1]))
                as t(root_part_inventory_id, path_key, sort_key, path_ids)
            """
        )
    assert [(row["path"], row["path_ids"]) for row in warehouse_hierarchy(file)] == [((), (1,)), (("i4", "r2"), (1, 3))]
