"""Quotes names for SQL text. Values are bound as parameters, except in statements that take no parameters."""

from collections.abc import Iterable

import pyarrow as pa

_TYPES: dict[pa.DataType, str] = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}


def identifier(*names: str) -> str:
    """A quoted name, or several quoted names joined by dots: schema, table."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def identifiers(names: Iterable[str], alias: str = "") -> str:
    """Quoted names separated by commas, each qualified by a table alias if one is given."""
    return ", ".join(f"{alias}.{identifier(name)}" if alias else identifier(name) for name in names)


def literal(text: str) -> str:
    """A string literal, for the statements that take no parameters (ATTACH, COPY TO, COMMENT ON, SET)."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(arrow_type: pa.DataType) -> str:
    """DuckDB's name of an Arrow type, as `duckdb_columns()` reports it.

    Raises:
        TypeError: The lake does not use this type.
    """
    if pa.types.is_list(arrow_type):
        return f"{duckdb_type(arrow_type.value_type)}[]"
    try:
        return _TYPES[arrow_type]
    except KeyError:
        raise TypeError(f"There is no warehouse type for {arrow_type}.") from None
