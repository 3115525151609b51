"""JSON values to Arrow, exactly or refused."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.catalog.catalog import TIMESTAMP, Column
from ion_pipeline.client import Number
from ion_pipeline.extract.values import WrongValueError, to_array
from tests.unit.extract.columns import BOOLEAN, FLOAT, FLOATS, INT, INTS, JSON, STRING, STRINGS, TIME

texts = st.text(st.characters(exclude_categories=["Cs"]))


# The first array makes pyarrow import pandas, which takes its time.
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_survive(values: list[int | None]) -> None:
    assert to_array(values, INT).to_pylist() == values


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_survive_to_the_last_bit(values: list[float | None]) -> None:
    back = to_array(values, FLOAT).to_pylist()
    assert [value and value.hex() for value in back] == [value and value.hex() for value in values]
    assert [value is None for value in back] == [value is None for value in values]


def test_a_whole_number_in_a_column_of_numbers() -> None:
    assert to_array([1, 2.5, -0.0, None], FLOAT).to_pylist() == [1.0, 2.5, -0.0, None]
    assert math.copysign(1, to_array([-0.0], FLOAT)[0].as_py()) == -1


@given(st.lists(st.none() | texts))
def test_text_survives(values: list[str | None]) -> None:
    assert to_array(values, STRING).to_pylist() == values


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "\n\r\t",
        "\x00",
        "a\x00b",
        "Ångström µ Ω 直径 🚀 👩‍🔧",
        "e\u0301",
        "\u202eright",
        "\ufeff",
        "\U0010ffff",
        "NULL",
        "x" * 2**20,
    ],
    ids=lambda value: repr(value[:12]),
)
def test_awkward_text_survives(value: str) -> None:
    assert to_array([None, value, ""], STRING).to_pylist() == [None, value, ""]


@given(st.lists(st.none() | st.booleans()))
def test_booleans_survive(values: list[bool | None]) -> None:
    assert to_array(values, BOOLEAN).to_pylist() == values


@given(st.lists(st.none() | st.lists(st.none() | texts)))
def test_lists_of_text_survive(values: list[list[str | None] | None]) -> None:
    array = to_array(values, STRINGS)
    array.validate(full=True)
    assert array.type == STRINGS.arrow_type
    assert array.to_pylist() == values


@given(st.lists(st.none() | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))))
def test_lists_of_whole_numbers_survive(values: list[list[int | None] | None]) -> None:
    assert to_array(values, INTS).to_pylist() == values


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=10,
)


@given(st.lists(json_values))
def test_json_values_survive_as_text(values: list[Any]) -> None:
    back = to_array(values, JSON).to_pylist()
    assert [value is None for value in back] == [value is None for value in values]
    assert [json.loads(value) for value in back if value is not None] == [
        value for value in values if value is not None
    ]


offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.builds(
    lambda microseconds, offset: (datetime(1, 1, 3, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(
        offset
    ),
    st.integers(0, (datetime(9999, 12, 29, tzinfo=UTC) - datetime(1, 1, 3, tzinfo=UTC)) // timedelta(microseconds=1)),
    offsets,
)


@given(st.lists(st.none() | instants), st.sampled_from(["T", " "]))
def test_times_with_offsets_are_the_same_instant_in_utc(values: list[datetime | None], between: str) -> None:
    back = to_array([value and value.isoformat(between) for value in values], TIME)
    assert back.type == TIMESTAMP
    assert back.to_pylist() == values


@given(instants.map(lambda at: at.astimezone(UTC)), st.integers(0, 9), st.sampled_from(["Z", "z", "", "+00:00"]))
def test_fractions_of_any_length_are_cut_to_microseconds(at: datetime, digits: int, zone: str) -> None:
    fraction = f"{at.microsecond:06d}789"[:digits]
    text = at.strftime("%Y").zfill(4) + at.strftime("-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + zone
    expected = at.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    # Together with a value of the common form, as in a page.
    assert to_array([text, "2026-03-01T08:15:00Z"], TIME)[0].as_py() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T08:15:00", datetime(2026, 3, 1, 8, 15, tzinfo=UTC)),
        ("2026-03-01T08:15", datetime(2026, 3, 1, 8, 15, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:15:00+0530", datetime(2026, 3, 1, 2, 45, tzinfo=UTC)),
        (" 2026-03-01t08:15:00.5-03:00 ", datetime(2026, 3, 1, 11, 15, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_other_iso_forms(text: str, expected: datetime) -> None:
    assert to_array([text], TIME).to_pylist() == [expected]


@pytest.mark.parametrize(
    ("values", "column", "index", "reason"),
    [
        ([1, None, "2"], INT, 2, "text instead of int64"),
        ([1, True], INT, 1, "a boolean instead of int64"),
        ([1, 2.0], INT, 1, "a number instead of int64"),
        ([1, 2**63], INT, 1, "out of range for int64"),
        ([1, Number("18446744073709551616")], INT, 1, "a whole number beyond 64 bits instead of int64"),
        ([1, Number("-9223372036854775809")], INT, 1, "a whole number beyond 64 bits instead of int64"),
        ([1, Number("0.1234567890123456789")], INT, 1, "a number instead of int64"),
        ([1.0, 2**53 + 1], FLOAT, 1, "a whole number that a double cannot hold"),
        ([1.0, Number("12345678901234567890123")], FLOAT, 1, "a whole number that a double cannot hold"),
        ([1.0, 2**63 + 1], FLOAT, 1, "a whole number that a double cannot hold"),
        ([1.0, -(2**53) - 1], FLOAT, 1, "a whole number that a double cannot hold"),
        ([0.5, 0, Number("9007199254740993e0"), None], FLOAT, 2, "a whole number that a double cannot hold"),
        ([1.0, Number("9007199254740993.0")], FLOAT, 1, "a whole number that a double cannot hold"),
        ([1.0, Number("1e400")], FLOAT, 1, "out of range for double"),
        ([1.0, Number("1e-400")], FLOAT, 1, "out of range for double"),
        ([1.0, Number("1e-99999999999999999999")], FLOAT, 1, "out of range for double"),
        (["a", Number("1e400")], STRING, 1, "a number instead of string"),
        ([0, True], BOOLEAN, 0, "a whole number instead of bool"),
        (["a", 1], STRING, 1, "a whole number instead of string"),
        (["a", {"b": 1}], STRING, 1, "an object instead of string"),
        (["a", "\ud800"], STRING, 1, "out of range for string"),
        ([[], "a"], STRINGS, 1, "text instead of a list"),
        ([None, ["a"], [], ["b", 1]], STRINGS, 3, "a list with a whole number instead of string"),
        (["2026-03-01T08:15:00Z", "yesterday"], TIME, 1, "text that is not an ISO 8601 time"),
        (["2026-02-30T00:00:00Z"], TIME, 0, "text that is not an ISO 8601 time"),
        ([1772352900], TIME, 0, "a whole number instead of string"),
    ],
)
def test_a_wrong_value_is_refused_and_found(values: list[Any], column: Column, index: int, reason: str) -> None:
    with pytest.raises(WrongValueError) as caught:
        to_array(values, column)
    assert (caught.value.index, caught.value.reason) == (index, reason)


@pytest.mark.parametrize(
    ("value", "double"),
    [
        (2**53, 9007199254740992.0),
        (2**62, 4611686018427387904.0),
        (Number("100000000000000000000000"), 1e23),
        (Number("340282366920938463463374607431768211456"), 2.0**128),
        (Number("0.1234567890123456789"), 0.12345678901234568),
        (Number("9007199254740993.5"), 9007199254740994.0),
        # As JavaScript writes the double whose exact value is 123456789012345683968.
        (Number("123456789012345680000"), 1.2345678901234568e20),
        (Number("2.5e-324"), 5e-324),
    ],
)
def test_what_a_double_holds_or_comes_near_as_a_fraction(value: int | Number, double: float) -> None:
    assert to_array([None, value, 0.5, 7], FLOAT).to_pylist() == [None, double, 0.5, 7.0]
    assert to_array([[value], [0.5, value]], FLOATS).to_pylist() == [[double], [0.5, double]]


@given(st.integers(-(2**64), 2**64))
def test_a_whole_number_is_a_double_that_stands_for_it_or_refused(number: int) -> None:
    double = float(number)
    if number in {int(double), int(Decimal(repr(double)))}:
        assert to_array([number], FLOAT).to_pylist() == [double]
    else:
        with pytest.raises(WrongValueError, match="a whole number that a double cannot hold"):
            to_array([number], FLOAT)


def test_more_levels_than_can_be_written_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    for column, value in ((JSON, deep), (STRING, deep), (STRINGS, [1, deep])):
        with pytest.raises(WrongValueError, match="nested too deeply") as caught:
            to_array([None, value], column, as_text=True)
        assert caught.value.index == 1


def test_long_numbers_are_text_as_they_were_sent_where_the_column_is_json() -> None:
    texts = ["123456789012345678901234567890", "0.1234567890123456789", "1e400", "-1E-400"]
    assert to_array([Number(text) for text in texts], JSON).to_pylist() == texts
    assert to_array([[1, {"a": Number(texts[0])}]], JSON).to_pylist() == ['[1,{"a":' + texts[0] + "}]"]
    assert to_array([Number(texts[1])], STRING, as_text=True).to_pylist() == [texts[1]]


def test_scalars_of_another_kind_are_kept_as_their_json_text() -> None:
    assert to_array([7, None, -1.5, True, "x"], STRING, as_text=True).to_pylist() == ["7", None, "-1.5", "true", "x"]
    assert to_array([[7, None], None], STRINGS, as_text=True).to_pylist() == [["7", None], None]


def test_a_page_without_rows() -> None:
    for column in (INT, FLOAT, BOOLEAN, STRING, TIME, JSON, STRINGS, INTS):
        array = to_array([], column)
        assert (len(array), array.type) == (0, column.arrow_type)
