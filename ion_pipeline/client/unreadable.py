"""Explains why a body is not JSON: it is truncated, or it is complete and contains invalid JSON. Pure functions.

This runs only after a parser has failed, so speed does not matter. A message contains positions, ids and the names of
requested fields, and quotes nothing else of the body.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\]]|[^\s"{{}}\[\]]++|"', re.DOTALL)
# A string, or a constant outside a string (the group).
_CONSTANT = re.compile(rf"{_STRING}|(-?Infinity|NaN)", re.DOTALL)
# Half a surrogate pair without the other half (the group), or any other escape.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
# The text between brackets, commas and quotes: a number, a constant, or an invalid token.
_BARE = re.compile(r'[^\s"{}\[\],:]*')
_LONGEST_BARE = 100
_BARE_BEFORE = re.compile(r'[^\s"{}\[\],:]*\Z')
_FIELD = re.compile(r"[A-Za-z_]\w{0,60}", re.ASCII)
_ID = re.compile(r"\d{1,20}", re.ASCII)
# Replaces the invalid part, so that its row can be found; no valid text contains it.
_MARK = "\udfff\udffe\udfff"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A body that cannot be parsed.

    Attributes:
        is_whole: Whether it is one complete object; a truncated one may be complete at the next attempt.
        what: What is wrong and where, if it is complete.
    """

    is_whole: bool
    what: str = ""


class ConstantError(ValueError):
    """`NaN` or `Infinity`, which JSON does not allow."""


def refuse_constant(_: str) -> NoReturn:
    """Refuse `NaN` and `Infinity`, which Python's parser would accept. Raises ConstantError."""
    raise ConstantError


_STRICT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse_constant)
# Also accepts control characters and constants. The values of numbers do not matter here.
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


@dataclass(frozen=True, slots=True)
class _Fault:
    """An invalid part: what is wrong, where it starts and ends, and the text that replaces it to find its row."""

    what: str
    start: int
    end: int
    mark: str = _MARK


def unreadable(content: bytes, skipped: int = 0) -> Unreadable:
    """Say why a body cannot be read.

    Args:
        content: A body that a strict parser refuses, or that contains half a surrogate pair.
        skipped: Bytes before `content`, to add to positions.

    Raises:
        RecursionError: It is nested too deeply.
    """
    # Each invalid byte becomes one character, so that the rest can be examined.
    text = content.decode(errors="surrogateescape")
    if not _is_whole(text):
        return Unreadable(is_whole=False)
    fault = _wrong_byte(text) or _wrong_syntax(text) or _half_a_pair(text)
    at = skipped + len(text[: fault.start].encode(errors="surrogateescape")) + 1
    return Unreadable(is_whole=True, what=f"{fault.what} at byte {at:,}{_place(text, fault)}")


def has_half_a_pair(content: bytes) -> bool:
    """Whether an escape is half a surrogate pair, which is not a character and cannot be stored."""
    return (b"\\ud" in content or b"\\uD" in content) and any(
        escape.group(1) for escape in _ESCAPE.finditer(content.decode())
    )


def _wrong_byte(text: str) -> _Fault | None:
    found = _NOT_UTF8.search(text)
    return found and _Fault("a byte that is not UTF-8", *found.span())


def _wrong_syntax(text: str) -> _Fault | None:
    try:
        _STRICT.decode(text)
    except json.JSONDecodeError as error:
        # The parser's texts quote nothing: `Expecting ',' delimiter`, `Invalid control character at`.
        what = f"broken syntax ({error.msg.removesuffix(' at')})"
        if error.msg.startswith("Invalid"):
            return _Fault(what, error.pos, error.pos + 1)
        return _bare(what, text, error.pos)
    except ConstantError:
        start = next(found.start() for found in _CONSTANT.finditer(text) if found.group(1))
        return _bare("NaN or an infinity", text, start)
    return None


def _bare(what: str, text: str, position: int) -> _Fault:
    before = _BARE_BEFORE.search(text, max(0, position - _LONGEST_BARE), position)
    after = _BARE.match(text, position)
    start, end = before.start() if before else position, after.end() if after else position
    return _Fault(what, start, end, f'"{_MARK}"')


def _half_a_pair(text: str) -> _Fault:
    found = next(escape for escape in _ESCAPE.finditer(text) if escape.group(1))
    return _Fault("half a surrogate pair, which is not a character,", *found.span())


def _is_whole(text: str) -> bool:
    """Whether the text is one complete object: its last bracket closes its first, and no string is left open."""
    depth, first, last = 0, "", ""
    for token in _TOKEN.finditer(text):
        last = token.group()
        first = first or last
        depth += (last in {"{", "["}) - (last in {"}", "]"})
        if last == '"':
            return False
    return first == "{" and last == "}" and depth == 0


def _place(text: str, fault: _Fault) -> str:
    """The row and field of the invalid part: ` (edge 4, field value, id 7)`; empty if the row cannot be determined."""
    try:
        body = _LENIENT.decode(text[: fault.start] + fault.mark + text[fault.end :])
    except json.JSONDecodeError:
        return ""
    for number, node in _nodes(body):
        field = next((name for name, value in node.items() if _has_mark([name, value])), None)
        if field is not None:
            said = [f"edge {number}", f"field {field}" if _FIELD.fullmatch(field) else "", _id(node)]
            return f" ({', '.join(filter(None, said))})"
    return ""


def _nodes(body: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of an answer's connections, each with the number of its edge, from 1."""
    data = body.get("data")
    for connection in data.values() if isinstance(data, dict) else ():
        edges = connection.get("edges") if isinstance(connection, dict) else None
        for number, edge in enumerate(edges if isinstance(edges, list) else (), start=1):
            node = edge.get("node") if isinstance(edge, dict) else None
            if isinstance(node, dict):
                yield number, node


def _has_mark(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_mark([key, one]) for key, one in value.items())
    if isinstance(value, list):
        return any(map(_has_mark, value))
    return isinstance(value, str) and _MARK in value


def _id(node: dict[str, Any]) -> str:
    identifier = node.get("id")
    return f"id {identifier}" if isinstance(identifier, str) and _ID.fullmatch(identifier) else ""
