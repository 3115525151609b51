"""Pages to record batches: every table of a shape, with its owners' ids."""

from dataclasses import replace
from typing import Any

import pytest

from ion_pipeline.catalog.catalog import Column, known_catalog
from ion_pipeline.catalog.shape import FieldShape, ListShape, NodeShape
from ion_pipeline.client import UnexpectedAnswerError
from ion_pipeline.extract.arrow import to_batches
from tests.unit.extract.columns import INT, JSON, STRING

OWNER = Column("part_id", "id", "Int", INT.arrow_type)
ID = Column("id", "id", "Int", INT.arrow_type)
LINK = Column("label_id", "id", "Int", INT.arrow_type)
SHAPE = NodeShape(
    "parts",
    (FieldShape(ID), FieldShape(STRING), FieldShape(Column("gone", "gone", "Int", INT.arrow_type), present=False)),
    lists=(
        ListShape("attributes", is_list=True, node=NodeShape("part_attributes", (FieldShape(JSON),), owner=OWNER)),
        ListShape("labels", is_list=True, node=NodeShape("part_labels", (FieldShape(LINK),), owner=OWNER)),
        ListShape("mark", is_list=False, node=NodeShape("part_marks", (FieldShape(STRING),), owner=OWNER)),
    ),
)


def node(identifier: int, **lists: Any) -> dict[str, Any]:
    return {"id": identifier, "s": f"s{identifier}", "attributes": [], "labels": [], "mark": None, **lists}


def rows(nodes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {table: batch.to_pylist() for table, batch in to_batches(nodes, SHAPE)}


def test_lists_become_tables_with_their_owners_id() -> None:
    nodes = [
        node(1, attributes=[{"v": 1}, {"v": None}], labels=[{"id": 5}]),
        node(2),
        node(3, attributes=[{"v": ["a"]}], labels=[{"id": 5}, {"id": 6}], mark={"s": "m"}),
    ]
    assert rows(nodes) == {
        "parts": [{"id": number, "s": f"s{number}", "gone": None} for number in (1, 2, 3)],
        "part_attributes": [
            {"part_id": 1, "v": "1"},
            {"part_id": 1, "v": None},
            {"part_id": 3, "v": '["a"]'},
        ],
        "part_labels": [{"part_id": owner, "label_id": label} for owner, label in [(1, 5), (3, 5), (3, 6)]],
        "part_marks": [{"part_id": 3, "s": "m"}],
    }


def test_a_page_without_rows_still_says_so_for_the_entity() -> None:
    assert rows([]) == {"parts": []}


def test_a_list_that_is_null_is_empty() -> None:
    assert rows([node(1, attributes=None)]) == {"parts": [{"id": 1, "s": "s1", "gone": None}]}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (node(4, attributes={"v": 1}), "parts: attributes of id 4 is an object, not a list"),
        (node(4, attributes=7), "parts: attributes of id 4 is a whole number, not a list"),
        (node(4, attributes=[{"v": 1}, None]), r"parts: attributes\[1\] of id 4 is null in place of a row"),
        (node(4, labels=["private"]), r"parts: labels\[0\] of id 4 is text in place of a row"),
        (node(4, mark=[]), "parts: mark of id 4 is a list in place of a row"),
        (node(4, mark="private"), "parts: mark of id 4 is text in place of a row"),
        ({"id": 4}, "lacks field s of id 4"),
        ({"id": 4, "s": "s", "attributes": []}, "lacks field labels of id 4"),
        ({"s": "s"}, r"lacks field id of row 2 \(without an id\)"),
        (None, "parts: ION gave null in place of a row"),
        ("private", "parts: ION gave text in place of a row"),
        (node(4) | {"s": 9}, "field s of id 4 is a whole number instead of string; ION's schema says String"),
        (node(4) | {"id": "private"}, r"field id of row 2 \(its id is text\) is text instead of int64"),
        (node(4, labels=[{"id": None}, {"id": "private"}]), "part_labels: field id of a row of part_id 4 is text"),
    ],
)
def test_what_is_wrong_is_named(broken: Any, said: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=said) as caught:
        rows([node(1), broken])
    assert "private" not in str(caught.value)
    assert caught.value.remedy


def connection(*ids: Any, has_next: Any = False) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": has_next}, "edges": [{"node": {"id": one}} for one in ids]}


CONNECTED = NodeShape("parts", (FieldShape(STRING),), lists=(replace(SHAPE.lists[1], is_connection=True),))


def test_the_rows_of_a_connection_are_those_of_a_list() -> None:
    nodes = [node(1, labels=connection(7, 8)), node(2, labels=None), node(3, labels=connection())]
    found = {table: batch.to_pylist() for table, batch in to_batches(nodes, CONNECTED)}
    assert found["part_labels"] == [{"part_id": 1, "label_id": 7}, {"part_id": 1, "label_id": 8}]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (connection(7, has_next=True), "only some of the rows of labels of id 4"),
        (connection(7, has_next=None), "only some of the rows of labels of id 4"),
        ([{"id": 7}], "parts, id 4: labels in ION's answer is a list instead of an object"),
        (connection(7) | {"edges": None}, "parts, id 4: labels.edges in ION's answer is null"),
        (connection(7) | {"edges": [{"node": None}]}, r"labels.edges\[0\].node in ION's answer is null"),
    ],
)
def test_a_connection_that_holds_rows_back_is_no_list(labels: Any, said: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=said) as caught:
        list(to_batches([node(4, labels=labels)], CONNECTED))
    assert caught.value.remedy


@pytest.mark.parametrize(("identifier", "kind"), [(None, "null"), ("private", "text"), (1.5, "a n"), (True, "a b")])
def test_a_list_belongs_to_a_row_with_a_number(identifier: Any, kind: str) -> None:
    # Of a row whose id is no column of its table, the id is asked for its lists alone.
    shape = NodeShape("parts", (FieldShape(STRING),), lists=SHAPE.lists[:1])
    broken = {"id": identifier, "s": "s", "attributes": [{"v": 1}]}
    with pytest.raises(UnexpectedAnswerError, match=rf"attributes has rows.* row 1 \(its id is {kind}") as caught:
        list(to_batches([broken], shape))
    assert "private" not in str(caught.value)


def test_the_catalogs_tables_and_the_batches_have_one_schema() -> None:
    tables = known_catalog().tables
    assert tables["part_attributes"].arrow_schema.names[0] == "part_id"
