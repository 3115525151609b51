"""Keeps the date of the embedded sandbox's world with the data that was read of it.

A world of another date has the same ids with other rows, as no tenant ever has: histories would contradict each other.
So a data directory keeps the date that its first read had.
"""

from datetime import date

import orjson

from ion_pipeline.client.clock import machine_time
from ion_pipeline.errors import SettingsError
from ion_pipeline.files.errors import write_error
from ion_pipeline.files.storage import replace_file
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.settings import Settings

_NAME = "sandbox.json"
# The date of all worlds before this file existed.
_EARLIER_VERSIONS = date(2026, 7, 1)


def with_date(settings: Settings) -> Settings:
    """The settings, in `embedded` with the date of the sandbox's world: the one kept, the one set, or today.

    Raises:
        SettingsError: The data directory keeps another date than the one set.
        LakeCorruptionError: The kept date is not readable.
    """
    if settings.environment != "embedded":
        return settings
    kept, asked = kept_date(settings), settings.sandbox_today
    if kept and asked and kept != asked:
        raise SettingsError(
            f"{settings.data_dir} holds a sandbox's world of {kept}, and ION_SANDBOX_TODAY is {asked}.",
            remedy="Set ION_DATA_DIR to another directory, or delete this one: it holds a sandbox's rows alone.",
        )
    return settings.model_copy(update={"sandbox_today": kept or asked or today()})


def keep_date(settings: Settings) -> None:
    """Record, after a read, the date of the world that was read; outside of `embedded` do nothing.

    Raises:
        FileWriteError: The file cannot be written.
    """
    path = settings.data_dir / _NAME
    if settings.environment != "embedded" or path.exists():
        return
    try:
        replace_file(path, orjson.dumps({"today": settings.sandbox_today}, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise write_error(error, str(path)) from error


def today() -> date:
    """The present date in UTC."""
    return machine_time().date()


def kept_date(settings: Settings) -> date | None:
    """The date of the world in the data directory; None if nothing was read yet.

    Raises:
        LakeCorruptionError: The kept date is not readable.
    """
    path = settings.data_dir / _NAME
    try:
        return date.fromisoformat(orjson.loads(path.read_bytes())["today"])
    except FileNotFoundError:
        return _EARLIER_VERSIONS if open_lake(settings).load_ids() else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeCorruptionError(
            f"{path} does not say which date the sandbox's world is for ({type(error).__name__}).",
            remedy="Delete the data directory: it holds a sandbox's rows alone.",
        ) from error
