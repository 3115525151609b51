"""dbt's process ends with its parent's. With a stand-in for dbt, which takes seconds to begin."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ion_pipeline.ending import TERMINATED, Terminated, noted_signals, unwind_on_sigterm
from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import Settings, load_settings

SECONDS = 30.0
# What the interpreter is for `dbt.run`: says who it is and never ends by itself.
STAND_IN = """
import os, sys
from ion_pipeline.pipeline.dbt.child import end_with_parent
end_with_parent(int(sys.argv[4]))
print(os.getpid(), flush=True)
os.read(os.pipe()[0], 1)
"""
PARENT = """
import sys
from pathlib import Path
from tests.unit.pipeline.test_dbt_child import run_stand_in
from ion_pipeline.ending import unwind_on_sigterm
unwind_on_sigterm()
run_stand_in(Path(sys.argv[1]), lambda line: print(line, flush=True))
"""


def stand_in(folder: Path) -> Path:
    path = folder / "interpreter"
    path.write_text(f"#!{sys.executable}\n{STAND_IN}")
    path.chmod(0o700)
    return path


def settings_in(folder: Path) -> Settings:
    return load_settings(environment="embedded", data_dir=folder)


def run_stand_in(folder: Path, on_line: Callable[[str], None]) -> None:
    real, sys.executable = sys.executable, str(stand_in(folder))
    try:
        dbt.run(settings_in(folder), ["build"], on_line=on_line)
    finally:
        sys.executable = real


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
        with noted_signals() as numbers:
            assert numbers() == b""
            with pytest.raises(Terminated) as ended:
                signal.raise_signal(signal.SIGTERM)
            signal.signal(signal.SIGTERM, lambda *_: None)
            signal.raise_signal(signal.SIGTERM)
            assert numbers() == bytes([signal.SIGTERM, signal.SIGTERM])
        assert ended.value.code == 143
    finally:
        signal.signal(signal.SIGTERM, before)
