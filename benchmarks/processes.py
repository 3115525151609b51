"""Processor time and memory of a process tree whose members do not wait for each other, read from /proc."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Places of fields after the name of a process: its parent, its user and system time, when it began, resident pages.
_PARENT, _TIMES, _BEGAN, _PAGES = 1, slice(11, 13), 19, 21


class Tree:
    """Reads the processes below this one until the block ends.

    A Java process that Python starts belongs to nobody's waited children, so the operating system's sum lacks it. A
    process is read each second: what it uses after the last reading is missed.

    Attributes:
        processor_seconds: By the name of the command.
        peak_gb: Largest resident memory of one process, by the name of the command. No sum: a process that Java is
            about to start has Java's memory for an instant.
    """

    def __init__(self, every_seconds: float = 1.0) -> None:
        self._every, self._ended = every_seconds, threading.Event()
        # A number is given to another process some time after its process has ended.
        self._seconds: dict[tuple[int, str], tuple[str, float]] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_gb: dict[str, float] = {}

    @property
    def processor_seconds(self) -> dict[str, float]:
        """Seconds so far."""
        found: dict[str, float] = {}
        for name, seconds in self._seconds.values():
            found[name] = found.get(name, 0.0) + seconds
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.read()
            if self._ended.wait(self._every):
                return

    def read(self) -> None:
        """Read all processes now; done each second anyway."""
        every = {int(one.name): stat for one in Path("/proc").iterdir() if one.name.isdigit() and (stat := _stat(one))}
        below, found = {os.getpid()}, set[int]()
        while below := {pid for pid, (_, fields) in every.items() if int(fields[_PARENT]) in below}:
            found |= below
        # A process that has been seen stays in the tree when its parent ends.
        found |= {pid for pid, (_, fields) in every.items() if (pid, fields[_BEGAN]) in self._seconds}
        for pid in found:
            name, fields = every[pid]
            self._seconds[pid, fields[_BEGAN]] = name, sum(int(one) for one in fields[_TIMES]) / _TICKS
            self.peak_gb[name] = max(self.peak_gb.get(name, 0.0), int(fields[_PAGES]) * _PAGE / 1e9)


def _stat(process: Path) -> tuple[str, list[str]] | None:
    """Name and further fields; None if the process has ended."""
    try:
        before, _, after = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")
    except OSError:
        return None
    return before.partition("(")[2], after.split()
