"""The columns of rows in the lake: a table's own columns, then the lake's three. Pure functions on Arrow data."""

from datetime import datetime

import pyarrow as pa

# The lake adds these columns to each row: whether it is a tombstone, its load, and when it was read.
LAKE_COLUMNS = pa.schema(
    [
        pa.field("_ion_deleted", pa.bool_(), nullable=False),
        pa.field("_ion_load", pa.string(), nullable=False),
        pa.field("_ion_seen_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


def with_lake_columns(schema: pa.Schema) -> pa.Schema:
    """A table's columns in its files: its own and the lake's."""
    return pa.schema([*schema, *LAKE_COLUMNS])


def stamped(batch: pa.RecordBatch, *, is_deleted: bool, load_id: str, seen_at: datetime) -> pa.RecordBatch:
    """The rows with the lake's columns added, with the same values in each row."""
    values = zip(LAKE_COLUMNS, (is_deleted, load_id, seen_at), strict=True)
    own = [pa.repeat(pa.scalar(value, field.type), batch.num_rows) for field, value in values]
    return pa.RecordBatch.from_arrays([*batch.columns, *own], schema=with_lake_columns(batch.schema))


def tombstones(keys: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Tombstones with these keys; every other column of the table is null."""
    given = set(keys.schema.names)
    columns = [
        keys.column(field.name) if field.name in given else pa.nulls(keys.num_rows, field.type) for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def difference(given: pa.Schema, wanted: pa.Schema) -> str:
    """How the given columns differ from the wanted ones, in words; empty if they are equal."""
    if given.equals(wanted):
        return ""
    have = {field.name: str(field.type) for field in given}
    need = {field.name: str(field.type) for field in wanted}
    missing = [name for name in need if name not in have]
    extra = [name for name in have if name not in need]
    retyped = [f"{name} ({have[name]} for {need[name]})" for name in need if name in have and have[name] != need[name]]
    parts = [("missing", missing), ("unexpected", extra), ("of another type", retyped)]
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names) or "they are in another order"
