"""How DuckDB's types are stored in a Delta table.

Only types of the first protocol of Delta Lake (reader 1, writer 2) are used, so that every reader can open the tables.
The protocol has no time of day, interval, UUID, enum, unsigned integer or integer of 128 bits. Integers without an
equivalent become wider integers or decimals; everything else without an equivalent becomes text, as DuckDB writes it.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#primitive-types
"""

from typing import Any

from duckdb.sqltypes import DuckDBPyType

from ion_pipeline.warehouse.sql import identifier

# DuckDB's id of a type: the SQL type that is stored, and Delta's name of it.
_PRIMITIVES = {
    "bigint": ("BIGINT", "long"),
    "blob": ("BLOB", "binary"),
    "boolean": ("BOOLEAN", "boolean"),
    "date": ("DATE", "date"),
    "double": ("DOUBLE", "double"),
    "float": ("FLOAT", "float"),
    "hugeint": ("DECIMAL(38,0)", "decimal(38,0)"),
    "integer": ("INTEGER", "integer"),
    "smallint": ("SMALLINT", "short"),
    "timestamp with time zone": ("TIMESTAMP WITH TIME ZONE", "timestamp"),
    "tinyint": ("TINYINT", "byte"),
    "ubigint": ("DECIMAL(20,0)", "decimal(20,0)"),
    "uhugeint": ("DECIMAL(38,0)", "decimal(38,0)"),
    "uinteger": ("BIGINT", "long"),
    "usmallint": ("INTEGER", "integer"),
    "utinyint": ("SMALLINT", "short"),
}
_TEXT = ("VARCHAR", "string")


def stored(kind: DuckDBPyType) -> tuple[str, Any]:
    """How values of a type are stored.

    Returns:
        The SQL type that they are stored as, which is `kind` itself if Delta has an equivalent, and Delta's type as in
        the JSON of a schema.
    """
    if kind.id in {"list", "array"}:
        sql, element = stored(_children(kind)["child"])
        return f"{sql}[]", {"type": "array", "elementType": element, "containsNull": True}
    if kind.id == "map":
        (key_sql, key), (value_sql, value) = map(stored, (_children(kind)["key"], _children(kind)["value"]))
        return f"MAP({key_sql}, {value_sql})", {
            "type": "map",
            "keyType": key,
            "valueType": value,
            "valueContainsNull": True,
        }
    if kind.id == "struct":
        fields = [(name, *stored(child)) for name, child in _children(kind).items()]
        columns = ", ".join(f"{identifier(name)} {sql}" for name, sql, _ in fields)
        return f"STRUCT({columns})", {"type": "struct", "fields": [field(name, delta) for name, _, delta in fields]}
    if kind.id == "decimal":
        return str(kind), str(kind).lower()
    return _PRIMITIVES.get(kind.id, _TEXT)


def field(name: str, delta: Any, comment: str = "") -> dict[str, Any]:
    """A field of a Delta schema, with its comment where Spark and Databricks look for it."""
    return {"name": name, "type": delta, "nullable": True, "metadata": {"comment": comment} if comment else {}}


def _children(kind: DuckDBPyType) -> dict[str, DuckDBPyType]:
    """The types inside a type; the size of an array is not one."""
    return {name: child for name, child in kind.children if isinstance(child, DuckDBPyType)}
