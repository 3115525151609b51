"""The names of things in the lake, relative to its root. Whatever starts with `_` is not a table."""

STAGING = "_staging"
LOADS = "_loads"
LOCK = "_writer.lock"
TABLE_MANIFEST = "_manifest.json"
_LOAD_PREFIX = "load="


def staging(load_id: str) -> str:
    """Where a load is written before it is committed."""
    return f"{STAGING}/{load_id}"


def staged_table(load_id: str, table: str) -> str:
    """A table's folder before the commit."""
    return f"{STAGING}/{load_id}/{table}"


def table_load(table: str, load_id: str) -> str:
    """A table's folder of one load."""
    return f"{table}/{_LOAD_PREFIX}{load_id}"


def part(number: int) -> str:
    """Name of a Parquet file; names sort in the order written."""
    return f"part-{number:05d}.parquet"


def load_manifest(load_id: str) -> str:
    """The document whose appearance commits a load."""
    return f"{LOADS}/{load_id}.json"


def load_id_of(folder: str) -> str | None:
    """The load a table's folder belongs to; None if it is not such a folder."""
    return folder.removeprefix(_LOAD_PREFIX) if folder.startswith(_LOAD_PREFIX) else None
