"""What every test starts from: no ION_* variable of the machine, no network but loopback, UTC."""

import gc
import os
import socket
import ssl
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.examples import examples

# Most objects of a test live until it ends: with Python's own thresholds the collector takes a tenth of the CPU.
gc.set_threshold(100_000, 20, 50)

# Only Spark's own environment (`make test-spark`) has the bridge to Java.
collect_ignore = [] if find_spec("py4j") else ["spark"]

# A slow machine is no failure: there is no deadline for an example.
settings.register_profile("ion", max_examples=examples(100), deadline=None)
settings.load_profile("ion")


class TextSnapshot(SingleFileSnapshotExtension):
    """Each snapshot is a text file of its own, which a review can read."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


# The first file builds the demo's warehouse, for which another worker would wait half a minute: the contracts and
# test_chaos need none. The last two build what others need, who would wait if they began next to them.
_FIRST = ("test_abom_commands", "contract", "test_chaos", "test_export_control", "test_genealogy_compare")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        names = {item.path.stem, item.path.parent.name}
        return next((number for number, name in enumerate(_FIRST) if name in names), len(_FIRST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    # Modules and schemas are millions of objects that live to the end: no collection has to walk through them again.
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    # Else DuckDB's bindings report what is still there as leaks, behind pytest's last line.
    gc.unfreeze()


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextSnapshot)


@pytest.fixture(scope="session", autouse=True)
def _power_stays_on() -> Iterator[None]:
    """Only a power cut needs what is flushed to the disk, and no test makes one: what a killed process wrote stays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once() -> Iterator[None]:
    """Each call of `httpx.get` reads the certificates of all authorities, also without TLS: 20 ms of CPU."""
    create, made = httpx.create_ssl_context, dict[tuple[str | None, ...], ssl.SSLContext]()

    def context(*, verify: Any, cert: Any, trust_env: bool) -> ssl.SSLContext:
        if verify is not True or cert:
            return create(verify, cert, trust_env)
        named = tuple(os.environ.get(name) if trust_env else None for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        if named not in made:
            made[named] = create(verify, cert, trust_env)
        return made[named]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", context)
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ION_") and not name.startswith("ION_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if host not in {"127.0.0.1", "::1", "localhost", "unix"}:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return
