"""Parsing of bodies: numbers are exact to the last digit, and invalid JSON is located."""

import json
import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ion_pipeline.client.answers import read_answer
from ion_pipeline.client.body import Number, decoded
from ion_pipeline.client.errors import NotJsonError, TransportError
from ion_pipeline.client.unreadable import Unreadable
from tests.examples import examples

digits = st.text("0123456789", min_size=1, max_size=40)
exponents = st.builds(
    lambda mark, sign, number: f"{mark}{sign}{number}",
    st.sampled_from("eE"),
    st.sampled_from(["", "+", "-"]),
    st.integers(0, 12_000),
)
literals = st.builds(
    lambda sign, whole, fraction, exponent: sign + (whole.lstrip("0") or "0") + fraction + exponent,
    st.sampled_from(["", "-"]),
    digits,
    st.just("") | digits.map(lambda text: f".{text}"),
    st.just("") | exponents,
)


blanks = st.sampled_from(["", " ", "\r\n\t"])
names = st.sampled_from(
    ['""', '"é\\u00e9 🚀"', '"a\\"b\\\\"', '"12345678901234567"', '" 12345678901234567890 "', '"-1e-999,"']
)


def lists(members: st.SearchStrategy[str], opening: str, closing: str) -> st.SearchStrategy[str]:
    """JSON text of several members, with blanks around them."""
    spaced = st.builds("{}{}{}".format, blanks, members, blanks)
    return st.lists(spaced, max_size=4).map(lambda texts: opening + ",".join(texts) + closing)


values = st.recursive(
    literals | names | st.sampled_from(["true", "false", "null"]),
    lambda inner: lists(inner, "[", "]") | lists(st.builds("{}:{}{}".format, names, blanks, inner), "{", "}"),
    max_leaves=8,
)
documents = st.lists(values, min_size=1, max_size=3).map(lambda texts: f'{{"data": [{",".join(texts)}]}}')


def with_decimals(value: Any) -> Any:
    """A parsed body with its numbers as decimals; a double becomes the decimal of its shortest text."""
    if isinstance(value, dict):
        return {key: with_decimals(one) for key, one in value.items()}
    if isinstance(value, list):
        return [with_decimals(one) for one in value]
    return Decimal(str(value)) if type(value) in {int, float, Number} else value


@given(documents)
@example('{"data": [18446744073709551616, -9223372036854775809, 9007199254740993, 18446744073709551615]}')
@example('{"data": [0.1234567890123456789, 0.30000000000000004, -0.1000000000000000055, 1.7976931348623157e308]}')
@example('{"data": [1e400, 1E-400, -1e-12000, 2.5e-324, 9999999999999999e5, 100000000000000000000]}')
@example('{"data": {"a":-9223372036854775809}}')
@example('{"data": [0e-400, -0, 0.0000000000000000000, -0.0E+999]}')
def test_no_number_of_a_document_loses_a_digit(document: str) -> None:
    wanted = json.loads(document, parse_int=Decimal, parse_float=Decimal)
    assert with_decimals(decoded(document.encode())) == wanted


@settings(max_examples=examples(300))
@given(literals)
@example("18446744073709551616")
@example("-9223372036854775809")
@example("0.1234567890123456789")
@example("1e400")
@example("1e-400")
def test_only_numbers_beyond_64_bits_and_doubles_stay_text(literal: str) -> None:
    found = decoded(f'{{"a": {literal}}}'.encode())["a"]
    if literal.lstrip("-").isdigit():
        fits = -(2**63) <= int(literal) < 2**64
    else:
        fits = math.isfinite(float(literal)) and Decimal(repr(float(literal))) == Decimal(literal)
    assert isinstance(found, Number) != fits
    if isinstance(found, Number):
        assert (found.text, str(found)) == (literal, literal)
        assert found.is_whole == literal.lstrip("-").isdigit()


@pytest.mark.parametrize(
    "literal",
    [
        "18446744073709551616",
        "-9223372036854775809",
        "0.1234567890123456789",
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "7" * 10_000,
    ],
    ids=lambda literal: literal[:24],
)
def test_numbers_that_do_not_fit_are_kept_as_text(literal: str) -> None:
    found = decoded(f'{{"a": {literal}}}'.encode())["a"]
    assert isinstance(found, Number)
    assert found.text == literal


@given(st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_that_fit_are_ordinary_ones(number: float) -> None:
    found = decoded(orjson.dumps({"a": number}))["a"]
    assert (type(found), found) == (type(number), number)


def test_a_byte_order_mark_is_skipped() -> None:
    assert decoded(b'\xef\xbb\xbf{"data": {"a": "\xc3\xa9"}}') == {"data": {"a": "é"}}


def page(value: bytes, *, before: bytes = b'"id": 8, ') -> bytes:
    """A page whose second row has this value."""
    return (
        b'{"data": {"parts": {"pageInfo": {"totalCount": 2}, "edges": [{"node": {"id": 7, "title": "a } \\" ["}}, '
        b'{"node": {' + before + b'"attributes": [{"key": "k", "value": {"NaN": [1, ' + value + b']}}], "x": 1}}]}}}'
    )


@pytest.mark.parametrize(
    ("value", "offset", "said"),
    [
        (b"NaN", 0, "NaN or an infinity"),
        (b"-Infinity", 0, "NaN or an infinity"),
        (b'"\\ud800"', 1, "half a surrogate pair"),
        (b'"\xc3\xa9\\udc00 \\ud83d\\ude80"', 3, "half a surrogate pair"),
        (b'"a\xff"', 2, "a byte that is not UTF-8"),
        (b'"\xed\xa0\x80"', 1, "a byte that is not UTF-8"),
        (b'"a\tb"', 2, "broken syntax (Invalid control character)"),
        (b"01", 0, "broken syntax"),
        (b"+1", 0, "broken syntax"),
        (b"1,", 2, "broken syntax"),
        (b"None", 0, "broken syntax"),
    ],
)
def test_invalid_json_is_located_with_its_row(value: bytes, offset: int, said: str) -> None:
    error = read_answer(200, {}, page(value), "parts, page 3")
    assert isinstance(error, NotJsonError)
    assert not error.retryable
    assert f"ION's answer to parts, page 3 is complete, but it is not valid JSON: {said}" in str(error)
    assert "(edge 2, field attributes, id 8)" in str(error)
    at = page(value).index(b'"NaN": [1, ' + value) + len('"NaN": [1, ') + offset
    assert f" at byte {at + 1:,} (" in str(error)


def test_a_byte_order_mark_counts_in_positions() -> None:
    plain, marked = (str(read_answer(200, {}, mark + page(b"NaN"), "parts")) for mark in (b"", b"\xef\xbb\xbf"))
    at = page(b"NaN").rindex(b"NaN") + 1
    assert marked == plain.replace(f"at byte {at}", f"at byte {at + 3}") != plain


def test_a_similar_valid_row_is_not_reported() -> None:
    before = b'"id": 8, "a": "NaN \\\\ud800 \\ud83d\\ude80 \\t \\u0001", '
    for value in (b"NaN", b'"\\ud800"', b'"\xff"', b'"\t"', b"nan"):
        error = str(read_answer(200, {}, page(value, before=before), "parts"))
        assert "(edge 2, field attributes, id 8)" in error
        at = page(value, before=before).index(b'"NaN": [1, ') + len('"NaN": [1, ') + value.startswith(b'"')
        assert f"at byte {at + 1:,} (" in error


def test_the_row_is_found_where_its_id_comes_last() -> None:
    content = page(b"NaN", before=b"").replace(b'"x": 1}', b'"x": 1, "id": "8"}')
    assert "(edge 2, field attributes, id 8)" in str(read_answer(200, {}, content, "parts"))


def test_nothing_of_a_row_is_quoted() -> None:
    said = str(read_answer(200, {}, page(b'{"Codename Heron": NaN}'), "parts"))
    assert "Heron" not in said
    assert '"k"' not in said


@pytest.mark.parametrize("value", [b"NaN", b'"\\ud800"', b'"\xff"'])
def test_outside_of_rows_the_position_is_reported(value: bytes) -> None:
    error = read_answer(200, {}, b'{"data": {"me": {"name": ' + value + b"}}}", "me")
    assert isinstance(error, NotJsonError)
    assert "at byte 2" in str(error)
    assert "(" not in str(error).partition("byte")[2]


@pytest.mark.parametrize("value", [b"1", b"NaN", b'"\\ud800"', '"é \\u00e9 🚀"'.encode()])
def test_a_truncated_body_is_recognised_wherever_it_ends(value: bytes) -> None:
    content = page(value)
    for end in range(len(content)):
        assert type(read_answer(200, {}, content[:end], "parts")) is TransportError


def test_too_deep_nesting_is_reported() -> None:
    found = decoded(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert isinstance(found, Unreadable)
    assert (found.is_whole, found.what) == (True, "objects or lists are nested too deeply")


def test_a_body_of_ordinary_numbers_is_not_read_by_the_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: bytes) -> None:
        raise AssertionError("the slow parser was asked")

    monkeypatch.setattr("ion_pipeline.client.body._exact", slow)
    body = {
        "etag": "1234567890123456789e-400",
        "uuid": "0123456e-1234-5678-901e-123456789012",
        "time": "2026-03-01T08:15:00.123456Z",
        "numbers": [1, 2**49, -0.5, 1e-30, 12.25, 1e22, 0.1 + 0.2, -(0.1 + 0.2), 2**63 - 1, -(2**63), 1e-99],
        "hash": "1234567890123456-1234567890123456a",
    }
    assert decoded(orjson.dumps(body)) == body
    assert decoded(json.dumps(body, indent=1).encode()) == body
