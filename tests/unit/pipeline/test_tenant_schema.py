"""Which of the stored schemas is used if the tenant does not show its own."""

import asyncio
import os
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

from ion_pipeline.client import ANSWER_DIGEST, GraphQLError, canonical_sdl
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.pipeline import tenant_schema as stored
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


def test_a_schema_is_printed_once_for_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again where the note of it, or the text, is not what it was."""
    printed: list[GraphQLSchema] = []

    def counted(schema: GraphQLSchema) -> str:
        printed.append(schema)
        return canonical_sdl(schema)

    monkeypatch.setattr(stored, "canonical_sdl", counted)
    schema = build_schema("type Query { a: Int }")
    schema.extensions[ANSWER_DIGEST] = "of-an-answer"
    digest = keep_schema(tmp_path, schema)
    text, note = (tmp_path / "schemas" / name for name in (f"{digest}.graphql", "of-an-answer.answer"))
    assert (keep_schema(tmp_path, schema), len(printed)) == (digest, 1)
    for damage in (text.unlink, note.unlink, lambda: note.write_bytes(b"\xff")):
        before = len(printed)
        damage()
        assert (keep_schema(tmp_path, schema), len(printed)) == (digest, before + 1)
        assert (keep_schema(tmp_path, schema), len(printed)) == (digest, before + 1)
        assert text.read_text(encoding="utf-8") == canonical_sdl(schema)
