"""A session's load waits for the lake's writer, as long as the setting says: the repair of a reconcile holds no lock."""

import asyncio
import threading
from pathlib import Path

import pytest
from graphql import build_schema

from ion_pipeline.catalog import Plan, known_catalog
from ion_pipeline.client import Identity
from ion_pipeline.extract import EntityResult, State
from ion_pipeline.files import LockedError
from ion_pipeline.lake import Lake, LoadWriter
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.read_clock import ReadClock
from ion_pipeline.pipeline.session import PreparedRead, Session
from ion_pipeline.settings import load_settings

LONG = 30.0


class BeganToReadError(Exception):
    """The session has the lake and begins to read."""


async def write_load(data_dir: Path, wait: float) -> None:
    async def read(_: LoadWriter) -> list[EntityResult]:
        raise BeganToReadError

    session = Session(
        load_settings(environment="embedded", data_dir=data_dir, lock_wait_seconds=wait),
        client=None,  # type: ignore[arg-type]
        host="api.example.com",
        identity=Identity("7", None, None, "42", None),
        schema=build_schema("type Query { me: ID }"),
        catalog=known_catalog(),
        reporter=NullReporter(),
    )
    await session.write_load(PreparedRead(Plan((), "none"), State(), {}, (), ReadClock(None)), read)


def test_a_load_waits_for_another_writer(tmp_path: Path) -> None:
    other = Lake(tmp_path / "lake").writing()
    other.__enter__()
    with pytest.raises(LockedError):
        asyncio.run(write_load(tmp_path, 0.0))
    timer = threading.Timer(0.3, other.__exit__, (None, None, None))
    timer.start()
    with pytest.raises(BeganToReadError):
        asyncio.run(write_load(tmp_path, LONG))
    timer.join()
