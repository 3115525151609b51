"""Figures of a process tree, against what a process says of itself."""

import subprocess
import sys

from benchmarks.processes import Tree

_WORKER = """
import sys, time
while time.process_time() < 0.1:
    pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_WORKER!r}])"
# The kernel's figures are in hundredths of a second, rounded down: user and system.
_ROUNDED = 0.02


def test_a_process_below_a_child_is_counted_while_it_runs() -> None:
    tree = Tree()
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        used = float(parent.stdout.readline())
        tree.read()
        parent.communicate()
    assert sum(tree.processor_seconds.values()) >= used - _ROUNDED
    assert max(tree.peak_gb.values()) > 0.005
