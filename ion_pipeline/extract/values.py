"""Values of one GraphQL field, over a page, as one Arrow array. Exact or refused: nothing is guessed or rounded.

The one exception is a DateTime finer than a microsecond, which is cut to microseconds. Times without a zone are UTC
(vendor manual: ISO 8601 UTC), and a date alone is its midnight.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ion_pipeline.extract.catalog import Column
from ion_pipeline.extract.links import without_signatures

_NONE = type(None)
_PYTHON_TYPES: dict[pa.DataType, frozenset[type]] = {
    pa.int64(): frozenset({int, _NONE}),
    pa.float64(): frozenset({float, int, _NONE}),
    pa.bool_(): frozenset({bool, _NONE}),
    pa.string(): frozenset({str, _NONE}),
}
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
        return without_signatures(pa.array([_json_text(value) for value in values], pa.string()), is_json=True)
    if pa.types.is_list(column.arrow_type):
        return _list_array(values, column.arrow_type, as_text=as_text)
    return _scalar_array(values, column, as_text=as_text)


def _json_text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _scalar_text(value: Any) -> str | None:
    return value if isinstance(value, str) else _json_text(value)


def _scalar_array(values: Sequence[Any], column: Column, *, as_text: bool) -> pa.Array:
    arrow_type = column.arrow_type
    if as_text:
        values = [_scalar_text(value) for value in values]
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
    if as_text:
        flat = [_scalar_text(item) for item in flat]
    try:
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
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        raise _first_failure(
            values, lambda value: pa.array([value], arrow_type), f"out of range for {arrow_type}"
        ) from None


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
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            return WrongValueError(index, reason)
    raise AssertionError("a column cannot be converted although each of its values can")


def _json_type(value: Any) -> str:
    names = {str: "text", bool: "a boolean", int: "a whole number", float: "a number", list: "a list", _NONE: "null"}
    return names.get(type(value), "an object")
