"""Arrow's allocator: the system's by default, or the one that the environment names."""

import os
import subprocess
import sys

import pytest

ASK = "import ion_pipeline, pyarrow; print(pyarrow.default_memory_pool().backend_name)"


@pytest.mark.parametrize(("named", "used"), [("", "system"), ("mimalloc", "mimalloc")])
def test_the_allocator_of_a_process(named: str, used: str) -> None:
    name = "ARROW_DEFAULT_MEMORY_POOL"
    environment = {key: value for key, value in os.environ.items() if key != name} | ({name: named} if named else {})
    said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True, env=environment)
    assert said.stdout.strip() == used
