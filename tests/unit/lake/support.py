"""A small lake to write to: one table with every type that occurs, and the shortest way to commit rows of it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.lake import Lake, LoadManifest, LoadWriter, TableRead, Tenant

TENANT = Tenant("org-1", "api.example.com")
PARTS = pa.schema(
    [
        pa.field("id", pa.int64()),
        pa.field("name", pa.string()),
        pa.field("price", pa.float64()),
        pa.field("is_active", pa.bool_()),
        pa.field("_updated", pa.timestamp("us", tz="UTC")),
        pa.field("tags", pa.list_(pa.string())),
    ]
)
SCHEMAS = {"parts": PARTS, "runs": pa.schema([pa.field("id", pa.int64())])}


def parts(*rows: dict[str, Any]) -> pa.RecordBatch:
    """Rows of `parts`; what is not given is null."""
    return pa.RecordBatch.from_pylist(list(rows), schema=PARTS)


def numbered(first: int, count: int) -> pa.RecordBatch:
    """Rows with ids from `first` on, each with a name of its own."""
    return parts(*({"id": number, "name": f"part {number}"} for number in range(first, first + count)))


def commit(lake: Lake, *batches: pa.RecordBatch) -> LoadManifest:
    """One load with these rows of `parts`."""
    with lake.begin(TENANT, SCHEMAS) as writer:
        for batch in batches:
            writer.write("parts", batch)
        return writer.commit({"parts": TableRead("parts")})


def read(lake: Lake, load: LoadManifest, table: str = "parts") -> pa.Table:
    """A table of a load as its files hold it, in their order."""
    with lake.checkout(load) as files:
        # Opened one by one: a dataset would take `load=…` in the path for a column.
        return pa.concat_tables(pq.ParquetFile(path).read() for path in files[table])


def tree(folder: Path) -> set[str]:
    """Every file below a folder, but for the lock."""
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "_writer.lock"
    }


def write_numbers(writer: LoadWriter) -> int:
    """Write the numbers to 600 from where an interrupted read stopped, with checkpoints, and commit; return where."""
    journal = writer.interrupted.journal
    notes = dict(journal.notes) if journal else {"next": 0}
    first: int = notes["next"]
    assert writer.checkpoints
    writer.checkpoints.notes = lambda: notes
    for start in range(first, 600, 100):
        writer.write("parts", numbered(start, 100))
        writer.write("runs", numbered(start, 100).select(["id"]))
        notes["next"] = start + 100
        writer.checkpoint()
    writer.commit({"parts": TableRead("parts"), "runs": TableRead("runs")})
    return first
