"""A session asks its first questions side by side, and reports the one that fails."""

import asyncio
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, introspection_from_schema
from pydantic import SecretStr

from ion_pipeline.catalog import known_catalog
from ion_pipeline.client import AuthError, ClientConfig, IonClient
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.session import Session, connect
from ion_pipeline.settings import load_settings

TENANT = build_schema("type Query { parts: Int }")
ME = {"me": {"id": "7", "name": None, "email": None, "organization": {"id": "42", "domain": None}}}
_SECONDS = 60  # only a failing test waits for so long


class TwoAtOnce(httpx.AsyncBaseTransport):
    """Answers neither question before the other has come too."""

    def __init__(self, status: int = 200) -> None:
        self._both = asyncio.Barrier(2)
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._both.wait()
        if self._status != httpx.codes.OK:
            return httpx.Response(self._status)
        is_schema = b"__schema" in await request.aread()
        return httpx.Response(200, json={"data": introspection_from_schema(TENANT) if is_schema else ME})


def connected(data_dir: Path, status: int = 200) -> Session:
    settings = load_settings(environment="embedded", data_dir=data_dir)

    async def run() -> Session:
        config = ClientConfig(
            api_url="https://ion.test", auth_url="https://ion.test", token=SecretStr("t"), max_attempts=1
        )
        async with IonClient(config, transport=TwoAtOnce(status)) as client:
            return await asyncio.wait_for(connect(settings, client, "ion.test", NullReporter()), _SECONDS)

    return asyncio.run(run())


def test_who_we_are_and_the_schema_are_asked_at_once(tmp_path: Path) -> None:
    session = connected(tmp_path)
    assert session.identity.organization_id == "42"
    assert session.schema.query_type
    assert set(session.schema.query_type.fields) == {"parts"}
    assert session.catalog is known_catalog()


def test_a_refused_token_is_one_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(AuthError):
        connected(tmp_path, status=401)


def test_adopted_definitions_that_do_not_fit_are_named(tmp_path: Path) -> None:
    (tmp_path / "adopted.graphql").write_text("extend type Nothing { x: Int }", encoding="utf-8")
    with pytest.raises(IonPipelineError, match="do not fit the schema"):
        connected(tmp_path)
