"""Checks that the files of a committed load are those that its manifest describes."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.files.errors import ObjectStoreError
from ion_pipeline.files.storage import Storage
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.manifest import FileEntry

_REMEDY = (
    "Restore the file from a backup or a copy of the lake. If there is none, delete the load's document in `_loads` "
    "and refresh in full; the history that this load began is then lost."
)


def verified_file(storage: Storage, entry: FileEntry, scratch: Path) -> Path:
    """The local path of a file, after a check of its size, checksum and Parquet footer.

    Args:
        storage: The lake.
        entry: The file, as its load's manifest describes it.
        scratch: The folder for copies of remote files.

    Raises:
        LakeCorruptionError: The file is missing, truncated, altered, or not Parquet.
    """
    where = f"{storage.location}/{entry.path}"
    try:
        path = storage.fetch(entry.path, scratch)
        problem = _problem(path, entry)
    except FileNotFoundError:
        raise LakeCorruptionError(f"{where} is missing from the lake.", remedy=_REMEDY) from None
    except ObjectStoreError:
        raise
    except OSError as error:
        raise LakeCorruptionError(f"{where} cannot be read ({error}).", remedy=_REMEDY) from error
    if problem:
        raise LakeCorruptionError(f"{where} is corrupt: {problem}.", remedy=_REMEDY)
    return path


def _problem(path: Path, entry: FileEntry) -> str:
    size = path.stat().st_size
    if size != entry.bytes:
        return f"{size} bytes instead of {entry.bytes}"
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
            return "its checksum is not the recorded one"
    try:
        rows = pq.read_metadata(path).num_rows
    except pa.ArrowInvalid as error:
        return f"no Parquet footer ({error})"
    return "" if rows == entry.rows else f"{rows} rows instead of {entry.rows}"
