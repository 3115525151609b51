"""Reading a small tenant that behaves, and one that does not."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.client import PartialDataError, PermissionDeniedError, RequestTimeoutError, UnexpectedAnswerError
from ion_pipeline.extract import CountMismatchError, DuplicateKeyError, PagingError
from tests.examples import examples
from tests.unit.extract.mini_ion import MiniIon, sdl
from tests.unit.extract.support import Read, part, parts, relations


@settings(max_examples=examples(50))
@given(
    ids=st.sets(st.integers(-5, 60), max_size=40),
    relation_count=st.integers(0, 20),
    page_size=st.integers(1, 12),
    page_cap=st.integers(1, 12),
    too_many=st.integers(1, 12),
)
def test_every_row_comes_once_whatever_the_page_sizes(
    ids: set[int], relation_count: int, page_size: int, page_cap: int, too_many: int
) -> None:
    ion = MiniIon(
        {"parts": [part(identifier) for identifier in ids], "issueRelations": relations(relation_count)},
        page_cap=page_cap,
        too_many=too_many,
    )
    read = Read(ion, ["parts", "issue_relations"], page_size=page_size)
    # A large entity is read in several ranges, which end in any order.
    assert sorted(read.rows.of("parts", "id")) == sorted(ids)
    assert read.rows.of("issue_relations", "origin_issue_id") == list(range(relation_count))
    assert read.results["parts"].total_count == len(ids)
    assert read.results["parts"].tables["parts"] == len(ids)
    assert read.results["issue_relations"].total_count == relation_count
    assert max(ion.sizes) <= page_size


def test_what_is_reported() -> None:
    attributes = [{"id": "a", "key": "colour", "value": ["red", 7]}, {"id": "b", "key": "mass", "value": 1.5}]
    ion = MiniIon({"parts": [part(1), part(2, attributes=attributes), part(3)], "partInventories": []})
    read = Read(ion, ["parts", "part_inventories"], page_size=2)
    result = read.results["parts"]
    assert (result.status, result.strategy, result.paging) == ("read", "full", "keyset")
    assert result.tables == {"parts": 3, "part_attributes": 2}
    assert (result.pages, result.requests, result.total_count) == (2, 2, 3)
    assert result.watermark == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert result.bytes > 0
    assert result.seconds > 0
    assert re.fullmatch(r"[0-9a-f]{64}", result.query_hash)
    assert result.drift.new == ("Part.newField",)
    assert "Part.revision" in result.drift.missing
    assert read.rows.of("parts", "part_number", "revision") == [("P-1", None), ("P-2", None), ("P-3", None)]
    assert read.rows.of("part_attributes", "part_id", "key", "value") == [
        (2, "colour", '["red",7]'),
        (2, "mass", "1.5"),
    ]
    # A table without rows is known, not unknown.
    assert read.results["part_inventories"].tables["part_inventories"] == 0
    assert [batch.num_rows for batch in read.rows.batches["part_inventories"]] == [0]
    assert [event for event in read.heard.events if event[1] == "parts"] == [
        ("started", "parts", 3),
        ("advanced", "parts", 2),
        ("advanced", "parts", 1),
        ("finished", "parts", None),
    ]


def test_an_entity_the_tenant_lacks_is_absent() -> None:
    read = Read(MiniIon({"parts": parts(1)}), ["parts", "runs"])
    assert (read.results["runs"].status, read.results["runs"].tables) == ("absent", {})


def test_without_a_clock_there_is_no_watermark() -> None:
    assert Read(MiniIon({"parts": parts(1)}, headers={}), ["parts"]).results["parts"].watermark is None


def test_the_watermark_is_from_before_the_first_page() -> None:
    minute = iter(range(60))
    ion = MiniIon({"parts": parts(3)})

    def tick(connection: str, number: int) -> None:
        ion.headers = {"Date": f"Mon, 02 Mar 2026 10:{next(minute):02d}:00 GMT"}

    ion.before = tick  # type: ignore[assignment]
    # The introspection is answered without a change of the clock: 10:00 by default.
    result = Read(ion, ["parts"], page_size=1).results["parts"]
    assert result.pages == 3
    assert result.watermark == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_forbidden_entity_is_reported_and_the_rest_is_read() -> None:
    ion = MiniIon({"parts": parts(3), "issueRelations": relations(2)}, forbidden=frozenset({"issueRelations"}))
    read = Read(ion, ["parts", "issue_relations"])
    assert (read.results["issue_relations"].status, read.results["issue_relations"].tables) == ("forbidden", {})
    assert read.results["parts"].tables["parts"] == 3
    (note,) = read.heard.notes
    assert "issue_relations, page 1" in note
    assert "does not have permission" in note


def test_a_permission_lost_half_way_fails_the_read() -> None:
    ion = MiniIon({"parts": parts(9)})

    def revoke(connection: str, number: int) -> None:
        ion.forbidden = frozenset({"parts"}) if number == 3 else frozenset()

    ion.before = revoke  # type: ignore[assignment]
    with pytest.raises(PermissionDeniedError, match="parts, page 3"):
        Read(ion, ["parts"], page_size=2)


def test_partial_data_fails_the_read_if_it_stays() -> None:
    half = httpx.Response(200, json={"data": {"parts": None}, "errors": [{"message": "resolver failed"}]})
    ion = MiniIon({"parts": parts(9), "issueRelations": relations(30)})
    ion.before = lambda connection, number: half if connection == "parts" and number > 1 else None
    with pytest.raises(PartialDataError, match="parts, page 2"):
        Read(ion, ["parts", "issue_relations"], page_size=2)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(200, json={"data": {"parts": None}, "errors": [{"message": "resolver failed"}]}),
        httpx.Response(200, json={"errors": [{"message": "Token is expired."}]}),
        httpx.Response(200, text='{"data": {"parts": {"pageInfo"'),
        httpx.Response(401),
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(502),
        httpx.Response(503),
    ],
    ids=lambda response: f"{response.status_code} {response.text[:20]}",
)
def test_passing_failures_lose_and_double_nothing(failure: httpx.Response) -> None:
    ion = MiniIon({"parts": parts(20)})
    ion.before = lambda _, number: (
        httpx.Response(failure.status_code, content=failure.content, headers=failure.headers) if number % 2 else None
    )
    read = Read(ion, ["parts"], page_size=3)
    assert read.rows.of("parts", "id") == list(range(1, 21))


def test_a_page_that_takes_too_long_is_asked_for_in_smaller_pieces_which_grow_again() -> None:
    ion = MiniIon({"parts": parts(400)}, too_many=20)
    read = Read(ion, ["parts"], page_size=64)
    assert read.rows.of("parts", "id") == list(range(1, 401))
    sizes = ion.sizes[1:]
    assert sizes[:3] == [64, 32, 16]
    assert set(sizes[3:10]) == {16}
    assert max(sizes[10:]) > 16


def test_a_single_row_that_takes_too_long_is_an_error() -> None:
    ion = MiniIon({"parts": parts(3)}, too_many=0)
    with pytest.raises(RequestTimeoutError, match="parts, page 1"):
        Read(ion, ["parts"], page_size=8)
    assert ion.sizes.count(1) == 3


def test_rows_added_behind_while_reading_are_read_or_left_for_the_next_time() -> None:
    ion = MiniIon({"parts": parts(6)})

    def add(connection: str, number: int) -> None:
        if connection == "parts" and number <= 8:
            ion.rows["parts"].append(part(100 + number))

    ion.before = add  # type: ignore[assignment]
    read = Read(ion, ["parts"], page_size=2)
    ids = read.rows.of("parts", "id")
    assert ids[:6] == [1, 2, 3, 4, 5, 6]
    assert ids == sorted(set(ids))
    assert read.rows.discarded == []


def test_rows_deleted_while_reading_shift_no_row_under_keyset_paging() -> None:
    ion = MiniIon({"parts": parts(20)})

    def delete(connection: str, number: int) -> None:
        if connection == "parts" and number == 3:
            ion.rows["parts"] = [row for row in ion.rows["parts"] if row["id"] not in {1, 2, 18}]

    ion.before = delete  # type: ignore[assignment]
    read = Read(ion, ["parts"], page_size=4)
    # The deleted ones had been read: the counts differ, all is read again, and then it adds up.
    assert read.rows.of("parts", "id") == [*range(3, 18), 19, 20]
    assert read.rows.discarded == ["parts", "part_attributes"]
    assert "20 before and 17 after" in read.heard.notes[0] or "17 after" in read.heard.notes[0]


@pytest.mark.parametrize("miscount", [-2, 3])
@pytest.mark.parametrize("entity", ["parts", "issue_relations"])
def test_counts_that_differ_at_the_second_reading_too_are_an_error(entity: str, miscount: int) -> None:
    ion = MiniIon({"parts": parts(20), "issueRelations": relations(20)}, miscount=miscount)
    with pytest.raises((CountMismatchError, PagingError), match=f"{entity}: 20 rows came, ION count"):
        Read(ion, [entity], page_size=50)


def test_a_key_that_is_none_is_an_error_after_the_second_reading() -> None:
    ion = MiniIon({"issueRelations": [*relations(3), *relations(3)]})
    with pytest.raises(DuplicateKeyError, match=r"3 of 6 rows repeat the key \(origin_issue_id, related_issue_id\)"):
        Read(ion, ["issue_relations"])


@pytest.mark.parametrize("fault", ["respects_order", "respects_filters"])
def test_a_tenant_that_does_not_page_by_id_is_read_by_cursors(fault: str) -> None:
    rows = parts(20)
    ion = MiniIon({"parts": rows[::-1] if fault == "respects_order" else rows}, **{fault: False})
    read = Read(ion, ["parts"], page_size=6)
    assert sorted(read.rows.of("parts", "id")) == list(range(1, 21))
    assert read.results["parts"].paging == "cursor"
    assert "although ids should ascend" in read.heard.notes[0]


def test_a_wrong_value_names_entity_field_and_row_but_not_the_value() -> None:
    bad = {"data": {"parts": {"pageInfo": {"hasNextPage": False, "endCursor": None, "count": 2, "totalCount": 2}}}}
    bad["data"]["parts"]["edges"] = [  # type: ignore[index]
        {"node": {"id": 1, "partNumber": "a", "_updated": None, "attributes": []}},
        {"node": {"id": 7, "partNumber": {"private": 1}, "_updated": None, "attributes": []}},
    ]
    ion = MiniIon({"parts": []})
    ion.before = lambda *_: httpx.Response(200, json=bad)
    with pytest.raises(UnexpectedAnswerError, match=r"parts: field partNumber of id 7 is an object") as caught:
        Read(ion, ["parts"])
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("connection", "kind"),
    [
        (None, UnexpectedAnswerError),
        ({"edges": []}, UnexpectedAnswerError),
        ({"edges": None, "pageInfo": {}}, UnexpectedAnswerError),
        (
            {"edges": [], "pageInfo": {"hasNextPage": True, "endCursor": None, "count": 0, "totalCount": 3}},
            PagingError,
        ),
        (
            {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None, "count": 2, "totalCount": 2}},
            PagingError,
        ),
        (
            {
                "edges": [{"node": None}],
                "pageInfo": {"hasNextPage": False, "endCursor": "x", "count": 1, "totalCount": 1},
            },
            UnexpectedAnswerError,
        ),
    ],
)
def test_answers_that_are_no_connection(connection: Any, kind: type[Exception]) -> None:
    ion = MiniIon({})
    ion.before = lambda *_: httpx.Response(200, json={"data": {"parts": connection}})
    with pytest.raises(kind, match="parts"):
        Read(ion, ["parts"])


def test_the_as_built_bom_inside_part_inventories() -> None:
    requirement = {"id": 50, "partId": 9, "partInventories": [{"id": 1}, {"id": 2}]}
    installation = {"id": 70, "buildRequirementId": 50, "partInventoryId": 3}
    units = [
        {"id": 1, "serialNumber": "A", "buildRequirements": [requirement], "abomInstallations": []},
        {"id": 2, "serialNumber": "B", "buildRequirements": [requirement], "abomInstallations": []},
        {"id": 3, "serialNumber": "C", "buildRequirements": [], "abomInstallations": [installation]},
    ]
    ion = MiniIon({"partInventories": units}, text=sdl(nested=True))
    read = Read(ion, ["build_requirements", "abom_installations"], page_size=2)
    assert read.plan.abom_route == "nested"
    # A requirement of two units comes with each of them; the load merges the copies.
    assert read.rows.of("build_requirements", "id", "part_id") == [(50, 9), (50, 9)]
    assert set(read.rows.of("build_requirement_part_inventories", "build_requirement_id", "part_inventory_id")) == {
        (50, 1),
        (50, 2),
    }
    assert read.rows.of("abom_installations", "id", "build_requirement_id", "part_inventory_id") == [(70, 50, 3)]
    requirements = read.results["build_requirements"]
    assert (requirements.status, requirements.paging, requirements.total_count) == ("read", "nested", None)
    assert requirements.tables == {"build_requirements": 2, "build_requirement_part_inventories": 4}
    assert requirements.query_hash == read.results["part_inventories"].query_hash
    assert read.results["part_inventories"].tables == {"part_inventories": 3}


def test_what_is_nested_in_a_forbidden_entity_is_forbidden_too() -> None:
    ion = MiniIon({}, text=sdl(nested=True), forbidden=frozenset({"partInventories"}))
    read = Read(ion, ["build_requirements"])
    assert {name: result.status for name, result in read.results.items()} == {
        "build_requirements": "forbidden",
        "part_inventories": "forbidden",
    }
