import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from tests.bounded import bounded


def read_from_a_silent_child() -> None:
    command = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()


@pytest.mark.parametrize("wait", [threading.Event().wait, read_from_a_silent_child])
def test_what_waits_forever_fails_and_says_what_it_was(wait: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"^the wait is not done after 0\.1 s"), bounded("the wait", 0.1):
        wait()


def test_a_bound_in_a_bound_leaves_the_outer_one() -> None:
    def wait() -> None:
        with bounded("the inner", 600):
            pass
        threading.Event().wait()

    with pytest.raises(pytest.fail.Exception, match="the outer"), bounded("the outer", 0.2):
        wait()
