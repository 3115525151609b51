"""Parses the JSON of a body and keeps every number exact. Pure functions.

The fast parser converts integers beyond 64 bits and all fractions to doubles, rounds a number smaller than any double
to zero, and refuses one that is larger. So each body is searched for numbers that would change, and only a body with
such a number is parsed by the slow parser, which keeps them. The search costs half as much as the fast parse
(benchmarks/README.md, "Parsing").
"""

import json
import math
import re
from decimal import Decimal
from typing import Any

import orjson

from ion_pipeline.client.unreadable import Unreadable, has_half_a_pair, refuse_constant, unreadable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Digits and the decimal point become 0; any character that may precede or follow a number, except a minus, becomes a
# comma.
_OUTLINE = bytes.maketrans(b"123456789.:[]} \t\r\nE", b"0" * 10 + b"," * 8 + b"e")
_COMMA, _MINUS = b",-"
# A double represents any number of 15 digits exactly, except very small ones.
_LONG = b"0" * 16
# An exponent of -100 or less. UUIDs and hashes often contain a similar text, but other characters follow it there.
_SMALL = re.compile(rb"e-0{3,}+,")
_NUMBER = re.compile(rb"-?\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+")
_WHOLE = re.compile(r"-?[0-9]+")
_ZERO = re.compile(r"-?[0.]+(?:[eE]|$)")
_MOST_DIGITS_OF_64_BITS = 20


class Number:
    """A number that neither a 64-bit integer nor a double represents exactly.

    It is not a dataclass, because orjson would serialise a dataclass by its fields.

    Attributes:
        text: The number as it was sent.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def is_whole(self) -> bool:
        """Whether it is written without a decimal point and without an exponent."""
        return _WHOLE.fullmatch(self.text) is not None

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def decoded(content: bytes) -> Any:
    """Parse a body, which is one object.

    Args:
        content: The body; a byte order mark at its start is skipped.

    Returns:
        The parsed value, with a `Number` for each number that would lose a digit; an `Unreadable` if it is not JSON.
    """
    text = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        if not _may_lose_digits(text):
            return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return _exact(text, len(content) - len(text))
    except RecursionError:
        return Unreadable(is_whole=True, what="objects or lists are nested too deeply")


def _exact(content: bytes, skipped: int) -> Any:
    try:
        value = _EXACT.decode(content.decode())
    except ValueError:
        return unreadable(content, skipped)
    # Python's parser accepts half a surrogate pair, which cannot be encoded as UTF-8.
    return unreadable(content, skipped) if has_half_a_pair(content) else value


def _may_lose_digits(content: bytes) -> bool:
    """Whether the fast parser may change a number; a text in a string may look like such a number."""
    outline = content.translate(_OUTLINE)
    numbers = _long_numbers(content, outline)
    return bool(numbers and not _are_kept(numbers)) or _SMALL.search(outline) is not None


def _long_numbers(content: bytes, outline: bytes) -> list[bytes]:
    found = []
    at = outline.find(_LONG)
    while at >= 0:
        end = outline.find(b",", at + len(_LONG))
        end = end if end >= 0 else len(content)
        # Digits after any other character are part of a string, such as a hash or an order number.
        before = outline[at - 1]
        if before == _COMMA:
            found.append(content[at:end])
        elif before == _MINUS:
            found.append(content[at - 1 : end])
        at = outline.find(_LONG, end)
    return found


def _are_kept(numbers: list[bytes]) -> bool:
    """Whether the fast parser keeps these numbers exactly, as it does with ordinary doubles of 17 digits."""
    document = b"[%b]" % b",".join(numbers)
    try:
        if orjson.dumps(orjson.loads(document)) == document:
            return True
    except orjson.JSONDecodeError:
        # The digits are from a string, or the number is infinite as a double.
        pass
    found = filter(None, map(_NUMBER.match, numbers))
    return not any(isinstance(_number(one.group().decode()), Number) for one in found)


def _number(text: str) -> int | float | Number:
    return _whole(text) if _WHOLE.fullmatch(text) else _fraction(text)


def _whole(text: str) -> int | Number:
    # Longer texts are not converted: Python refuses to convert thousands of digits.
    if len(text) <= _MOST_DIGITS_OF_64_BITS and -(2**63) <= (number := int(text)) < 2**64:
        return number
    return Number(text)


def _fraction(text: str) -> float | Number:
    number = float(text)
    if number == 0:
        return number if _ZERO.match(text) else Number(text)
    shortest = repr(number)
    return number if shortest == text or (math.isfinite(number) and _is_same(shortest, text)) else Number(text)


def _is_same(shortest: str, text: str) -> bool:
    return Decimal(shortest) == Decimal(text)


_EXACT = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=refuse_constant)
