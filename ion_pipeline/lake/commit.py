"""How a load becomes visible: the order of writes at a commit, and of deletes where a load is abandoned.

Each step is durable before the next: the `_manifest.json` in each table's staged folder; each folder moved from
`_staging` to its table; `_loads/<load id>.json`. Only the last makes the load exist, on a local disk by a rename, in an
object store by one put.
"""

from collections.abc import Iterable
from contextlib import suppress

from ion_pipeline.files.storage import Storage
from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import LoadManifest, to_json


def commit(storage: Storage, manifest: LoadManifest) -> None:
    """Make a load visible whose Parquet files are staged, closed and durable.

    Raises:
        OSError: Something could not be written or moved; the caller abandons the load.
    """
    load_id = manifest.load_id
    for table in manifest.tables:
        path = f"{paths.staged_table(load_id, table.table)}/{paths.TABLE_MANIFEST}"
        storage.put(path, to_json(manifest.only(table), indented=False))
    for table in manifest.tables:
        storage.move(paths.staged_table(load_id, table.table), paths.table_load(table.table, load_id))
    storage.put(paths.load_manifest(load_id), to_json(manifest))
    with suppress(OSError):
        # The load exists; the next writer deletes an empty folder that is left here.
        storage.remove(paths.staging(load_id))


def abandon(storage: Storage, load_id: str, tables: Iterable[str]) -> None:
    """Delete what a load has written, wherever its commit failed.

    Raises:
        OSError: The document that would make it visible cannot be deleted.
    """
    # First what makes it visible, should the failure have come after that.
    storage.remove(paths.load_manifest(load_id))
    # What cannot be deleted now is invisible, and the next writer deletes it; the first error is the one to show.
    with suppress(OSError):
        for table in tables:
            storage.remove(paths.table_load(table, load_id))
        storage.remove(paths.staging(load_id))
