"""The lake of the settings: a folder of the data directory, or a prefix in an object store."""

from ion_pipeline.files.store_check import check_store
from ion_pipeline.lake import Lake
from ion_pipeline.settings import Settings

_LOCK = "lake.lock"


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name.

    Raises:
        SettingsError: It is in an object store, and the library for that is not installed.
    """
    if settings.lake_uri is None:
        return Lake(settings.lake_dir)
    return Lake(settings.lake_uri, lock_file=settings.data_dir / _LOCK)


def check_lake(settings: Settings) -> None:
    """Check the object store of the settings, if there is one; an object is written to it and deleted.

    Raises:
        SettingsError, ObjectStoreError: See `files.store_check`.
    """
    if settings.lake_uri is not None:
        check_store(settings.lake_uri)
