"""Values of one GraphQL field, over a page, as one Arrow array. Exact or refused: nothing is guessed or rounded.

The one exception is a DateTime finer than a microsecond, which is cut to microseconds. Times without a zone are UTC
(vendor manual: ISO 8601 UTC), and a date alone is its midnight.

Where the column is JSON, a number keeps all its digits. A column of doubles takes a fraction as the nearest double,
which is what GraphQL's Float is, and a whole number only if a double holds it or is written like it; what a double
would make infinite or zero is refused.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ion_pipeline.catalog.catalog import Column
from ion_pipeline.client import Number
from ion_pipeline.extract.links import without_signatures

_NONE = type(None)
_PYTHON_TYPES: dict[pa.DataType, frozenset[type]] = {
    pa.int64(): frozenset({int, _NONE}),
    pa.float64(): frozenset({float, int, Number, _NONE}),
    pa.bool_(): frozenset({bool, _NONE}),
    pa.string(): frozenset({str, _NONE}),
}
# What Arrow and orjson raise where a value cannot be converted.
_FAILURES = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError, orjson.JSONEncodeError)
_FINER_THAN_MICROSECONDS = r"(\.\d{6})\d{1,3}"
_DATE_ALONE = r"^(\d{4}-\d{2}-\d{2})$"
_WITHOUT_ZONE = r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$"


class WrongValueError(Exception):
    """A value does not fit its column. Internal: the caller knows the row and says so.

    Attributes:
        index: Position in the values.
        reason: What the value is; never the value itself, which may be anything.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


def to_array(values: Sequence[Any], column: Column, *, as_text: bool = False) -> pa.Array:
    """Convert a field's values.

    Args:
        values: As parsed from JSON, None for null.
        column: Where they go.
        as_text: The tenant's type is another scalar than the catalog's, and its JSON text is what is kept.

    Raises:
        WrongValueError: A value has another type, or does not fit.
    """
    if column.is_json:
        return without_signatures(pa.array(_texts(values, _json_text), pa.string()), is_json=True)
    if pa.types.is_list(column.arrow_type):
        return _list_array(values, column.arrow_type, as_text=as_text)
    return _scalar_array(values, column, as_text=as_text)


def _texts(values: Sequence[Any], convert: Callable[[Any], str | None]) -> list[str | None]:
    try:
        return [convert(value) for value in values]
    except orjson.JSONEncodeError:
        # Of what a parser gives, only this has no text: fewer levels are written than are read.
        raise _first_failure(values, convert, "nested too deeply") from None


def _json_text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=_number_text).decode()


def _number_text(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _scalar_text(value: Any) -> str | None:
    return value if isinstance(value, str) else _json_text(value)


def _scalar_array(values: Sequence[Any], column: Column, *, as_text: bool) -> pa.Array:
    arrow_type = column.arrow_type
    if as_text:
        values = _texts(values, _scalar_text)
    if pa.types.is_timestamp(arrow_type):
        return _timestamps(_checked(values, pa.string()), values, arrow_type)
    array = _checked(values, arrow_type)
    if arrow_type == pa.string():
        return without_signatures(array, is_json=column.graphql_type == "JSONString")
    return array


def _list_array(values: Sequence[Any], arrow_type: pa.DataType, *, as_text: bool) -> pa.Array:
    _check_types(values, frozenset({list, _NONE}), "a list")
    lengths = [len(value) if value is not None else None for value in values]
    flat = [item for value in values if value is not None for item in value]
    try:
        if as_text:
            flat = _texts(flat, _scalar_text)
        items = _checked(flat, arrow_type.value_type)
    except WrongValueError as error:
        raise WrongValueError(_owner_of(error.index, lengths), f"a list with {error.reason}") from None
    if arrow_type.value_type == pa.string():
        items = without_signatures(items, is_json=False)
    ends = _running_total(lengths)
    offsets = pa.array([0, *ends], pa.int32())
    mask = pa.array([length is None for length in lengths], pa.bool_())
    return pa.ListArray.from_arrays(offsets, items, type=arrow_type, mask=mask)


def _running_total(lengths: Iterable[int | None]) -> list[int]:
    return list(accumulate(length or 0 for length in lengths))


def _owner_of(position: int, lengths: Sequence[int | None]) -> int:
    return next(index for index, end in enumerate(_running_total(lengths)) if position < end)


def _checked(values: Sequence[Any], arrow_type: pa.DataType) -> pa.Array:
    _check_types(values, _PYTHON_TYPES[arrow_type], str(arrow_type))
    try:
        return pa.array(values, arrow_type)
    except _FAILURES:
        if arrow_type == pa.float64():
            # Arrow takes whole numbers up to 2^53; of those beyond, doubles hold some.
            return pa.array([_double(index, value) for index, value in enumerate(values)], arrow_type)
        raise _first_failure(
            values, lambda value: pa.array([value], arrow_type), f"out of range for {arrow_type}"
        ) from None


def _double(index: int, value: float | Number | None) -> float | None:
    if value is None or isinstance(value, float):
        return value
    text = str(value)
    double = float(text)
    if not math.isfinite(double) or (double == 0 and value != 0):
        raise WrongValueError(index, "out of range for double")
    sent = Decimal(text)
    if sent == sent.to_integral_value() and sent not in {Decimal(double), Decimal(repr(double))}:
        raise WrongValueError(index, "a whole number that a double cannot hold")
    return double


def _check_types(values: Sequence[Any], allowed: frozenset[type], wanted: str) -> None:
    # One pass at C speed; only a page that is wrong is looked at value by value.
    if set(map(type, values)) <= allowed:
        return
    index = next(index for index, value in enumerate(values) if type(value) not in allowed)
    raise WrongValueError(index, f"{_json_type(values[index])} instead of {wanted}")


def _timestamps(texts: pa.Array, values: Sequence[str | None], arrow_type: pa.DataType) -> pa.Array:
    try:
        return texts.cast(arrow_type)
    except pa.ArrowInvalid:
        normalised = _normalised_times(texts)
    try:
        return normalised.cast(arrow_type)
    except pa.ArrowInvalid:
        raise _first_failure(
            values,
            lambda value: _normalised_times(pa.array([value], pa.string())).cast(arrow_type),
            "text that is no ISO 8601 time",
        ) from None


def _normalised_times(texts: pa.Array) -> pa.Array:
    texts = pc.utf8_upper(pc.utf8_trim_whitespace(texts))
    texts = pc.replace_substring_regex(texts, _FINER_THAN_MICROSECONDS, r"\1")
    texts = pc.replace_substring_regex(texts, _DATE_ALONE, r"\1T00:00:00")
    return pc.replace_substring_regex(texts, _WITHOUT_ZONE, r"\1Z")


def _one_time(value: str | None, arrow_type: pa.DataType) -> pa.Array:
    return _normalised_times(pa.array([value], pa.string())).cast(arrow_type)


def _first_failure(values: Sequence[Any], convert: Callable[[Any], Any], reason: str) -> WrongValueError:
    for index, value in enumerate(values):
        try:
            convert(value)
        except _FAILURES:
            return WrongValueError(index, reason)
    raise AssertionError("a column cannot be converted although each of its values can")


def _json_type(value: Any) -> str:
    if isinstance(value, Number):
        return "a whole number beyond 64 bits" if value.is_whole else "a number"
    names = {str: "text", bool: "a boolean", int: "a whole number", float: "a number", list: "a list", _NONE: "null"}
    return names.get(type(value), "an object")
