"""Values from JSON texts: no stored digit is lost."""

import duckdb
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dbt.models import render

GIVEN = " from (select ?::varchar as value_json)"
TEXT = "select " + render("{{ json_text('value_json') }}") + GIVEN
LIST = "select " + render("{{ json_list('value_json') }}") + GIVEN
DATABASE = duckdb.connect()


def text_of(json: str | None) -> object:
    return DATABASE.execute(TEXT, [json]).fetchall()[0][0]


def list_of(json: str | None) -> object:
    return DATABASE.execute(LIST, [json]).fetchall()[0][0]


NUMBERS = [
    "12345678901234567890123",
    "-12345678901234567890123",
    "0.1234567890123456789",
    "1e400",
    "-1e400",
    "1E-400",
    "9007199254740993",
    "18446744073709551616",
    "1.50",
    "0.30000000000000000000000000000000000001",
    "-0.0",
    "0",
    "5",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_the_stored_text(number: str) -> None:
    assert text_of(number) == number
    assert text_of(f" {number}\n") == number
    assert list_of(f'[{number}, "x",{number}]') == [number, "x", number]


@pytest.mark.parametrize(
    ("json", "text"),
    [
        ('"a"', "a"),
        ('"12.50"', "12.50"),
        ('"-1"', "-1"),
        ('""', ""),
        (r'"a\"b\\ \u00e9\n"', 'a"b\\ é\n'),
        ("null", None),
        (None, None),
        ("true", "true"),
        ("false", "false"),
        ('{"a":1,"b":[null]}', '{"a":1,"b":[null]}'),
        ('["a",1]', '["a",1]'),
        ("[]", "[]"),
    ],
)
def test_other_json_values_are_unchanged(json: str | None, text: str | None) -> None:
    assert text_of(json) == text


@pytest.mark.parametrize(
    ("json", "texts"),
    [
        ("[]", []),
        ("[ ]", []),
        ('["a", "", null, true, 1.50]', ["a", "", None, "true", "1.50"]),
        (r'["a,b]", "[c\", d", "\\", "e\u00e9"]', ["a,b]", '[c", d', "\\", "eé"]),
        ('[{"a":1},[2],"x"]', ['{"a":1}', "[2]", "x"]),
        ("3", None),
        ('"[1]"', None),
        ("null", None),
        (None, None),
    ],
)
def test_a_list_of_texts(json: str | None, texts: list[str | None] | None) -> None:
    assert list_of(json) == texts


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.none() | st.booleans()))
def test_a_list_keeps_its_texts(values: list[str | bool | None]) -> None:
    expected = [str(value).lower() if isinstance(value, bool) else value for value in values]
    assert list_of(orjson.dumps(values).decode()) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_number_is_the_stored_text(number: object) -> None:
    assert text_of(str(number)) == str(number)
    assert list_of(f"[{number}]") == [str(number)]
