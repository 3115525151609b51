"""The filter operators on one value, with PostgreSQL's semantics.

A comparison with null is unknown, so it selects nothing, even if it is negated: `neq` and `notlike` leave out null
rows. `eq: null` means "is null", as in SQLAlchemy. A list column matches if any of its items does.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from graphql import GraphQLError

from ion_pipeline.sandbox.model import Column
from ion_pipeline.sandbox.store import id_order
from ion_pipeline.sandbox.values import canonical_instant

Test = Callable[[Any], bool]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_SQL_TYPES = {"Int": "integer", "Float": "double precision", "DateTime": "timestamp with time zone"}
_DEFAULT_SIMILARITY = 0.3
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no"})


def value_test(column: Column, operators: Mapping[str, Any]) -> Test:
    """A test of one column's value that is true if all operators are.

    Raises:
        GraphQLError: A filter value cannot be converted to the column's type (`"abc"` for a number).
    """
    if column.kind == "String" and any(map(_is_boolean, operators.items())):
        truth = value_test(replace(column, kind="Boolean"), operators)
        return lambda value: truth(None if value is None else boolean_text(value))
    tests = [_test(column, name, given) for name, given in operators.items()]
    test: Test = tests[0] if len(tests) == 1 else lambda value: all(one(value) for one in tests)
    if not column.is_list:
        return test
    return lambda value: test(None) if value is None else any(test(item) for item in value)


def _is_boolean(item: tuple[str, Any]) -> bool:
    name, given = item
    return name != "isnull" and any(type(one) is bool for one in (given if type(given) is list else [given]))


def _test(column: Column, name: str, given: Any) -> Test:
    if given is None:
        return {"eq": _is_null, "neq": _is_not_null, "isnull": _always}.get(name, _never)
    if name == "isnull":
        return _is_null if given else _is_not_null
    test = _known_test(column, name, given)
    return lambda value: value is not None and test(value)


def _known_test(column: Column, name: str, given: Any) -> Test:
    """A test of a value that is not null."""
    if name == "fuzzyMatch":
        return _fuzzy(given)
    if name.endswith("like"):
        return _like(name, as_text(given))
    test = _comparison(column, name, given)
    return (lambda value: test(id_order(value))) if column.kind == "ID" else test


def _comparison(column: Column, name: str, given: Any) -> Test:
    if name == "in":
        wanted = [cast(column, item) for item in given if item is not None]
        return lambda value: value in wanted
    bound = cast(column, given)
    if name in ("eq", "neq"):
        equal = name == "eq"
        return lambda value: (value == bound) is equal
    return _compare(column, _ORDER[name], bound)


def cast(column: Column, given: Any) -> Any:
    """A filter's value, converted for comparison: ids may be numbers sent as text, instants may have any ISO form.

    Raises:
        GraphQLError: It cannot be converted; the text is PostgreSQL's.
    """
    try:
        if column.kind == "Int":
            return int(given)
        if column.kind == "Float":
            return float(given)
        if column.kind == "DateTime":
            return canonical_instant(given)
    except (TypeError, ValueError):
        raise GraphQLError(f'invalid input syntax for type {_SQL_TYPES[column.kind]}: "{given}"') from None
    if column.kind == "ID":
        return id_order(as_text(given))
    return as_text(given) if column.kind == "String" else given


def boolean_text(value: Any) -> Any:
    """The boolean that a text spells (Issue.editable is such a column); None for any other text."""
    spelled = str(value).strip().lower()
    return True if spelled in _TRUE else False if spelled in _FALSE else None


def as_text(value: Any) -> str:
    """A value as PostgreSQL casts it to text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode()


def _compare(column: Column, compare: Callable[[Any, Any], bool], bound: Any) -> Test:
    if column.kind in ("ScalarValue", "SlateContent"):
        # Values of different types have no order, so only values of one type are compared.
        numeric = isinstance(bound, int | float) and not isinstance(bound, bool)

        def mixed(value: Any) -> bool:
            same = isinstance(value, int | float) and not isinstance(value, bool) if numeric else isinstance(value, str)
            return same and compare(value, bound if numeric else as_text(bound))

        return mixed
    return lambda value: compare(value, bound)


def _like(name: str, pattern: str) -> Test:
    negated, ignore_case = name.startswith("not"), "ilike" in name
    matcher = re.compile(_regex(pattern), re.DOTALL | (re.IGNORECASE if ignore_case else 0))

    def test(value: Any) -> bool:
        return (matcher.fullmatch(as_text(value)) is None) is negated

    return test


def _regex(pattern: str) -> str:
    """A LIKE pattern as a regular expression: % is any text, _ any character, and a backslash escapes the next one."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(
        ".*" if part == "%" else "." if part == "_" else re.escape(part[1:] if len(part) > 1 else part)
        for part in parts
    )


def _fuzzy(given: Mapping[str, Any]) -> Test:
    value, wanted = given.get("value"), given.get("similarity")
    if value is None:
        return _never
    trigrams, limit = _trigrams(as_text(value)), _DEFAULT_SIMILARITY if wanted is None else wanted

    def test(value: Any) -> bool:
        other = _trigrams(as_text(value))
        shared, total = len(trigrams & other), len(trigrams | other)
        return total > 0 and shared / total >= limit

    return test


def _trigrams(text: str) -> set[str]:
    """The trigrams of pg_trgm: of lower-case words, with two blanks before each and one after it."""
    words = re.findall(r"\w+", text.lower())
    return {padded[at : at + 3] for word in words for padded in [f"  {word} "] for at in range(len(padded) - 2)}


def _always(value: Any) -> bool:
    del value
    return True


def _never(value: Any) -> bool:
    del value
    return False


def _is_null(value: Any) -> bool:
    return value is None


def _is_not_null(value: Any) -> bool:
    return value is not None
