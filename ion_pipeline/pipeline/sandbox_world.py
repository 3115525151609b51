"""Keeps what the embedded sandbox's world depends on with the data that was read of it: its date, size and seed.

A world of another date has the same ids with other rows, as no tenant ever has: histories would contradict each other.
So a data directory keeps the date of its first read. Size and seed are those of its last read unless they are set.
"""

from datetime import date
from typing import Any

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
_SIZE = {"scale": "sandbox_scale", "seed": "sandbox_seed"}


def with_world(settings: Settings) -> Settings:
    """The settings, in `embedded` with the world that was read before, as far as they do not set another one.

    Without an earlier read and a setting, the date is today.

    Raises:
        SettingsError: The data directory keeps another date than the one set.
        LakeCorruptionError: What is kept is not readable.
    """
    if settings.environment != "embedded":
        return settings
    document = _kept(settings)
    kept, asked = document.get("today"), settings.sandbox_today
    if kept and asked and kept != asked:
        raise SettingsError(
            f"{settings.data_dir} holds a sandbox's world of {kept}, and ION_SANDBOX_TODAY is {asked}.",
            remedy="Set ION_DATA_DIR to another directory, or delete this one: it holds a sandbox's rows alone.",
        )
    size = {
        setting: document[name]
        for name, setting in _SIZE.items()
        if name in document and setting not in settings.model_fields_set
    }
    return settings.model_copy(update={"sandbox_today": kept or asked or today(), **size})


def keep_world(settings: Settings) -> None:
    """Record, after a read, the world that was read; outside of `embedded` do nothing.

    Raises:
        FileWriteError: The file cannot be written.
        LakeCorruptionError: What was kept before is not readable.
    """
    if settings.environment != "embedded":
        return
    path = settings.data_dir / _NAME
    read = {"today": settings.sandbox_today} | {name: getattr(settings, setting) for name, setting in _SIZE.items()}
    if path.exists() and _kept(settings) == read:
        return
    try:
        replace_file(path, orjson.dumps(read, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise write_error(error, str(path)) from error


def today() -> date:
    """The present date in UTC."""
    return machine_time().date()


def kept_date(settings: Settings) -> date | None:
    """The date of the world in the data directory; None if nothing was read yet.

    Raises:
        LakeCorruptionError: What is kept is not readable.
    """
    found: date | None = _kept(settings).get("today")
    return found


def _kept(settings: Settings) -> dict[str, Any]:
    path = settings.data_dir / _NAME
    try:
        document: dict[str, Any] = orjson.loads(path.read_bytes())
        return document | {"today": date.fromisoformat(document["today"])}
    except FileNotFoundError:
        return {"today": _EARLIER_VERSIONS} if open_lake(settings).load_ids() else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeCorruptionError(
            f"{path} does not say which date the sandbox's world is for ({type(error).__name__}).",
            remedy="Delete the data directory: it holds a sandbox's rows alone.",
        ) from error
