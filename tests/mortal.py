"""Work that is killed by kill -9 at a chosen moment, in a process of its own.

A moment is a call or a return in the package: it does not depend on how busy the machine is. One process imports what
the work needs and is forked for each attempt, because the imports take longer than most work.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

_REPOSITORY = Path(__file__).parents[1]
_PACKAGE = str(_REPOSITORY / "ion_pipeline")


@dataclass(frozen=True)
class Done:
    """Work that was not killed: what it returned, and how many moments it had."""

    value: Any
    moments: int


class Mortal:
    """Gives a function to processes that may be killed. See `mortal`."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    def run(self, *arguments: object, moment: int = 0, delay: float = 0.0) -> Done | None:
        """Run the function with these arguments, as text; None if it was killed.

        Args:
            arguments: What the function is called with.
            moment: When to kill it; 0 for never.
            delay: Seconds from that moment to the kill: into the work of a database, which Python does not see.
        """
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write(json.dumps([[*map(str, arguments)], moment, delay]) + "\n")
        self._parent.stdin.flush()
        status, answer = json.loads(self._parent.stdout.readline())
        assert status in {0, -signal.SIGKILL}, f"the work failed: {status}"
        return Done(*json.loads(answer)) if status == 0 else None


@contextmanager
def mortal(work: str) -> Iterator[Mortal]:
    """Start a process for a function, given as "module:name", that takes texts and returns what JSON can say."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mortal", work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
    ) as parent:
        try:
            yield Mortal(parent)
        finally:
            assert parent.stdin
            parent.stdin.close()


def _attempt(work: Any, arguments: list[str], moment: int, delay: float) -> str:
    seen = 0

    def die() -> None:
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGKILL)

    def count(frame: FrameType, kind: str, _: object) -> None:
        nonlocal seen
        if kind in {"call", "return"} and frame.f_code.co_filename.startswith(_PACKAGE):
            seen += 1
            if seen == moment:
                threading.Thread(target=die, daemon=True).start() if delay else die()

    threading.setprofile(count)
    sys.setprofile(count)
    value = work(*arguments)
    sys.setprofile(None)
    return json.dumps([value, seen])


def _main() -> None:
    module, _, name = sys.argv[1].partition(":")
    work = getattr(import_module(module), name)
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, _attempt(work, *json.loads(line)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            said = answer.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(json.dumps([code, said]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
