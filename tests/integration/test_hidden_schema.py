"""The tenant's schemas are kept under their hash, and a tenant that stops showing its schema is still read."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import build_schema

from ion_pipeline.client import GraphQLError
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.reconcile import reconcile
from tests.integration.support.changing_world import Tenant, changing_tenant, delete, update

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

REFUSAL: dict[str, Any] = {
    "seed": 1,
    "rules": [{"kind": "status", "status": 400, "operation": "IntrospectionQuery"}],
}


class Listening(NullReporter):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, message: str) -> None:
        self.heard.append(message)


def hide_schema(tenant: Tenant) -> None:
    httpx.post(f"{tenant.address.api_url}/_sandbox/faults", json=REFUSAL).raise_for_status()


@pytest.mark.parametrize(
    "profile",
    [
        "today",
        "full",
        "missing-fields",
        "no-keyset",
    ],
)
def test_what_it_showed_last_is_gone_by(tmp_path: Path, profile: str) -> None:
    with changing_tenant(tmp_path, profile) as tenant:
        tenant.refresh()
        [kept] = (tenant.settings.data_dir / "schemas").glob("*.graphql")
        [load] = tenant.loads()
        manifest = orjson.loads((tenant.settings.lake_dir / "_loads" / load).read_bytes())
        assert kept.stem == manifest["schema_hash"] == hashlib.sha256(kept.read_bytes()).hexdigest()
        part = build_schema(kept.read_text(encoding="utf-8")).type_map["Part"]
        assert ("leadTime" in part.fields) is (profile != "missing-fields")  # type: ignore[attr-defined]

        hide_schema(tenant)
        tenant.change(update("parts", 100, touch=True, description="read all the same"), delete("partInventories", 390))
        listening = Listening()
        report = steps.extract(tenant.settings, reporter=listening)
        steps.load(tenant.settings)
        assert report.load_id
        assert tenant.differences() == []
        assert any(kept.name in message for message in listening.heard)
        listening.heard.clear()
        assert not reconcile(tenant.settings, reporter=listening).drifted
        assert any(kept.name in message for message in listening.heard)


def test_one_that_never_showed_its_schema_is_not_read(tmp_path: Path) -> None:
    with changing_tenant(tmp_path) as tenant:
        hide_schema(tenant)
        with pytest.raises(GraphQLError, match="refuses the schema"):
            steps.extract(tenant.settings)
    assert not (tenant.settings.lake_dir / "_loads").exists()
