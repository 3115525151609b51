"""Which of the stored schemas is used if the tenant does not show its own."""

import asyncio
import os
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

from ion_pipeline.client import GraphQLError
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.pipeline.tenant_schema import keep_schema, tenant_schema


class Hidden:
    """A client whose tenant refuses."""

    async def introspect(self) -> GraphQLSchema:
        raise GraphQLError("Introspection is off.", messages=())


def last_seen(data_dir: Path) -> set[str]:
    schema = asyncio.run(tenant_schema(Hidden(), data_dir, lambda _: None))  # type: ignore[arg-type]
    assert schema.query_type
    return set(schema.query_type.fields)


def test_the_one_seen_last_counts_not_the_one_kept_last(tmp_path: Path) -> None:
    older, newer = (build_schema(f"type Query {{ {field}: Int }}") for field in ("older", "newer"))
    keep_schema(tmp_path, older)
    keep_schema(tmp_path, newer)
    for path in (tmp_path / "schemas").iterdir():
        os.utime(path, (0, 0))
    digest = keep_schema(tmp_path, older)
    assert last_seen(tmp_path) == {"older"}
    (tmp_path / "schemas" / f"{digest}.graphql").write_text("type Query {", encoding="utf-8")
    with pytest.raises(IonPipelineError, match=digest):
        last_seen(tmp_path)
