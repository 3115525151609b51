"""The repair of a reconcile waits for the lake's writer, as long as the setting says."""

import asyncio
import threading
from pathlib import Path

import pytest
from graphql import build_schema

from ion_pipeline.extract import Plan, State
from ion_pipeline.lake import Lake, LakeBusyError, Tenant
from ion_pipeline.pipeline import reconcile
from ion_pipeline.pipeline.progress import Silence
from ion_pipeline.pipeline.read_clock import ReadClock
from ion_pipeline.settings import load_settings

LONG = 30.0


class CameToReadError(Exception):
    """The repair has the lake and begins to read."""


async def repair(data_dir: Path, wait: float) -> None:
    settings = load_settings(environment="embedded", data_dir=data_dir, lock_wait_seconds=wait)
    audited = reconcile._Audited(
        build_schema("type Query { me: ID }"), Plan((), "none"), State(), (), ReadClock(None), ()
    )
    run = reconcile._Run(settings, (), False, Silence())
    await run._repair(None, Tenant("org-1", "api.example.com"), audited, read_by=None)  # type: ignore[arg-type]


def test_the_repair_waits_for_another_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*_: object, **__: object) -> None:
        raise CameToReadError

    monkeypatch.setattr(reconcile, "carry_out", read)
    other = Lake(tmp_path / "lake").writing()
    other.__enter__()
    with pytest.raises(LakeBusyError):
        asyncio.run(repair(tmp_path, 0.0))
    timer = threading.Timer(0.3, other.__exit__, (None, None, None))
    timer.start()
    with pytest.raises(CameToReadError):
        asyncio.run(repair(tmp_path, LONG))
    timer.join()
