"""The small world behind an engine, built once: no test in this folder changes it."""

import pytest

from ion_pipeline.sandbox.engine import Engine
from tests.unit.sandbox.asking import engine_of
from tests.unit.sandbox.small_world import small_world


@pytest.fixture(scope="session")
def small() -> Engine:
    return engine_of(small_world())
