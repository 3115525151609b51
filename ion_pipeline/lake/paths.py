"""The names of files and folders in the lake, relative to its root. A name that starts with `_` is not a table.

Data directories outlive code, so snapshots and the load log keep their first names on the disk.
"""

STAGING = "_staging"
LOADS = "_loads"
LOCK = "_writer.lock"
READERS = "_readers.lock"
TABLE_MANIFEST = "_manifest.json"
LOAD_LOG = "_books"
_JOURNAL = "_journal.json"
_LOAD_PREFIX = "load="
_SNAPSHOT_PREFIX = "fold="
_SNAPSHOT_SUFFIX = ".fold"


def staging(load_id: str) -> str:
    """Where a load is written before it is committed."""
    return f"{STAGING}/{load_id}"


def journal(load_id: str) -> str:
    """The journal of a load that is being written."""
    return f"{STAGING}/{load_id}/{_JOURNAL}"


def staged_table(load_id: str, table: str) -> str:
    """A table's folder before the load is committed."""
    return f"{STAGING}/{load_id}/{table}"


def table_load(table: str, load_id: str) -> str:
    """A table's folder in one load."""
    return f"{table}/{_LOAD_PREFIX}{load_id}"


def part(number: int, suffix: str = "") -> str:
    """Name of a Parquet file; names sort in the order written. The suffix names the writer, where there may be two."""
    return f"part-{number:05d}{suffix}.parquet"


def load_manifest(load_id: str) -> str:
    """The document whose appearance commits a load."""
    return f"{LOADS}/{load_id}.json"


def load_id_of(folder: str) -> str | None:
    """The load that a table's folder belongs to; None if the folder is not a load's."""
    return folder.removeprefix(_LOAD_PREFIX) if folder.startswith(_LOAD_PREFIX) else None


def staged_snapshot(load_id: str) -> str:
    """Where a snapshot is written before it is committed."""
    return f"{STAGING}/{load_id}{_SNAPSHOT_SUFFIX}"


def table_snapshot(table: str, load_id: str) -> str:
    """A table's folder in the snapshot that ends with a load."""
    return f"{table}/{_SNAPSHOT_PREFIX}{load_id}"


def snapshot_manifest(load_id: str) -> str:
    """The document whose appearance commits a snapshot."""
    return f"{LOADS}/{load_id}{_SNAPSHOT_SUFFIX}.json"


def snapshot_of(name: str) -> str | None:
    """The last load of the snapshot that a folder or document belongs to; None if it is not a snapshot's."""
    if name.startswith(_SNAPSHOT_PREFIX):
        return name.removeprefix(_SNAPSHOT_PREFIX)
    stem = name.removesuffix(".json")
    return stem.removesuffix(_SNAPSHOT_SUFFIX) if stem.endswith(_SNAPSHOT_SUFFIX) else None
