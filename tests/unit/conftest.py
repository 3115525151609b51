"""A local S3 server whose faults a test plants; it is started once, by the first test that needs it."""

from collections.abc import Iterator

import pytest

from tests.faulty_store import FaultyStore, faulty_store


@pytest.fixture(scope="session")
def store_server() -> Iterator[FaultyStore]:
    with faulty_store() as server:
        yield server


@pytest.fixture
def store(store_server: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> FaultyStore:
    """The server without faults, and its credentials in the environment."""
    for name, value in store_server.environment().items():
        monkeypatch.setenv(name, value)
    store_server.faults.clear()
    store_server.happened.clear()
    store_server.release.clear()
    return store_server
