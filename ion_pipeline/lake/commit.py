"""How a load becomes visible: the order of writes in a commit, and of deletes when a load is abandoned.

A commit takes these steps, each durable before the next: write `_manifest.json` to each table's folder; move each
folder from `_staging` to its table, unless it is there already (see `place`); write `_loads/<load id>.json`. Only the
last step makes the load exist: on a local disk by a rename, in an object store by one put, which succeeds only if the
document is still reserved for this writer (see `files.bucket`).
"""

from collections.abc import Iterable
from contextlib import suppress

from ion_pipeline.files.storage import LakeStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import LoadManifest, to_json
from ion_pipeline.lake.place import written_table


def commit(storage: LakeStorage, manifest: LoadManifest) -> None:
    """Make a load visible. Its Parquet files must be staged, closed and durable.

    Raises:
        OSError: A file could not be written or moved; the caller abandons the load.
    """
    load_id = manifest.load_id
    for table in manifest.tables:
        path = f"{written_table(storage, load_id, table.table)}/{paths.TABLE_MANIFEST}"
        storage.put(path, to_json(manifest.only(table), indented=False))
    for table in manifest.tables if storage.renames else ():
        storage.move(paths.staged_table(load_id, table.table), paths.table_load(table.table, load_id))
    storage.put(paths.load_manifest(load_id), to_json(manifest))
    with suppress(OSError):
        # The load exists; if the empty folder cannot be deleted now, the next writer deletes it.
        storage.remove(paths.staging(load_id))


def abandon(storage: LakeStorage, load_id: str, tables: Iterable[str]) -> None:
    """Delete everything that a load has written, at whichever step its commit failed.

    Raises:
        OSError: The document that makes the load visible cannot be deleted.
    """
    # Delete the document that makes the load visible first: the commit may have failed after writing it.
    if not storage.withdraw(paths.load_manifest(load_id)):
        # Another writer has reserved it since and may use these files, or an answer was lost and the load exists.
        return
    # Files that cannot be deleted now are invisible, and the next writer deletes them; the commit's error is the one to
    # report.
    with suppress(OSError):
        for table in tables:
            storage.remove(paths.table_load(table, load_id))
        storage.remove(paths.staging(load_id))
