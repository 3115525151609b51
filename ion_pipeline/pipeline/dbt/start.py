"""What is said while dbt starts, and how long that took last time: until its first node begins, it says nothing."""

import time
from collections.abc import Callable
from pathlib import Path

import orjson

from ion_pipeline.counting import Count
from ion_pipeline.files.storage import replace_file

_DOING = {"parse": "dbt reads the models", "build": "dbt starts and reads the models"}


class Start:
    """A start of dbt.

    Args:
        path: File that keeps the seconds of each kind of start.
        engine: What dbt runs on.
        command: dbt's command.
        clock: Seconds that only grow.
    """

    def __init__(self, path: Path, engine: str, command: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._kind, self._clock = path, f"{command} on {engine}", clock
        self._doing = _DOING.get(command, f"dbt starts {command}")
        self._seconds: dict[str, float] = orjson.loads(path.read_bytes()) if path.is_file() else {}
        self._began: float | None = clock()

    @property
    def count(self) -> Count:
        """What happens, and about how long it takes; there is nothing to count yet."""
        before = self._seconds.get(self._kind)
        took = "" if before is None else f", which took {before:.0f} s last time"
        return Count(0, 0, "nodes", f"{self._doing}{took}")

    def ended(self) -> None:
        """Keep how long the start took, when it is first called."""
        if self._began is not None:
            self._seconds[self._kind] = self._clock() - self._began
            self._began = None
            replace_file(self._path, orjson.dumps(self._seconds))
