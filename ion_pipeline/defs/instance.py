"""Dagster's instance of `DAGSTER_HOME`, whose files two processes may want to make at once."""

import os
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from ion_pipeline.files.lock import WriterLock

_OPENED_AFTER = 60.0


def open_instance() -> dg.DagsterInstance:
    """The instance of `DAGSTER_HOME`; its files are made when it is opened for the first time, by one process only.

    Two that make them at once may both write a schema version into them, and nobody can open the instance any more
    ("more than one head present").

    Raises:
        LockedError: Another process has been opening it for a minute.
        DagsterHomeNotSetError: `DAGSTER_HOME` is not set.
    """
    home = os.environ.get("DAGSTER_HOME")
    with WriterLock(Path(home) / ".opening", "opening it", wait_seconds=_OPENED_AFTER) if home else nullcontext():
        return dg.DagsterInstance.get()
