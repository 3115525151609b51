"""Opens Dagster's instance of `DAGSTER_HOME`, whose files two processes may try to create at the same time."""

import os
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from ion_pipeline.files.lock import WriterLock

_WAIT_SECONDS = 60.0


def open_instance() -> dg.DagsterInstance:
    """Open the instance of `DAGSTER_HOME`; a lock makes sure that only one process creates its files.

    If two processes create them at the same time, both may write a schema version, and then the instance can no longer
    be opened ("more than one head present").

    Raises:
        LockedError: Another process has been opening it for a minute.
        DagsterHomeNotSetError: `DAGSTER_HOME` is not set.
    """
    home = os.environ.get("DAGSTER_HOME")
    with WriterLock(Path(home) / ".opening", "opening it", wait_seconds=_WAIT_SECONDS) if home else nullcontext():
        return dg.DagsterInstance.get()
