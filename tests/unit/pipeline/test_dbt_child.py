"""dbt's process ends with its parent process. A fake replaces dbt, which takes seconds to start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ion_pipeline.ending import TERMINATED, Terminated, recorded_signals, unwind_on_sigterm
from tests.unit.pipeline.dbt_stand_in import run_stand_in

SECONDS = 30.0
PARENT = """
import sys
from pathlib import Path
from tests.unit.pipeline.dbt_stand_in import run_stand_in
from ion_pipeline.ending import unwind_on_sigterm
unwind_on_sigterm()
run_stand_in(Path(sys.argv[1]), lambda line: print(line, flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, TERMINATED)], ids=["killed", "terminated"]
)
def test_the_child_ends_with_its_parent(number: int, code: int, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.send_signal(number)
        assert parent.wait(SECONDS) == code
    assert not psutil.wait_procs([child], SECONDS)[1]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, Terminated, ValueError])
def test_an_exception_ends_the_child_and_waits_for_it(raised: type[BaseException], tmp_path: Path) -> None:
    children: list[psutil.Process] = []

    def on_line(line: str) -> None:
        children.append(psutil.Process(int(line)))
        raise raised

    with pytest.raises(raised):
        run_stand_in(tmp_path, on_line)
    assert [child.is_running() for child in children] == [False]


def test_a_signal_is_recorded_although_another_handler_handles_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        unwind_on_sigterm()
        with recorded_signals() as numbers:
            assert numbers() == b""
            with pytest.raises(Terminated) as ended:
                signal.raise_signal(signal.SIGTERM)
            signal.signal(signal.SIGTERM, lambda *_: None)
            signal.raise_signal(signal.SIGTERM)
            assert numbers() == bytes([signal.SIGTERM, signal.SIGTERM])
        assert ended.value.code == 143
    finally:
        signal.signal(signal.SIGTERM, before)
