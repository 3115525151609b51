"""A newer ION than the shipped schema knows: what is new is reported, read on request, and comes out as in the world.

The shipped schema is made older for the test by taking a field, an enum value and an entity out of it.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson
import pytest
from graphql import GraphQLEnumType, build_schema, print_schema

from ion_pipeline.catalog import known_catalog, schema
from ion_pipeline.pipeline import export_control, steps
from ion_pipeline.pipeline.adopt import adopt, data_catalog
from ion_pipeline.pipeline.check import check
from ion_pipeline.pipeline.entity_tables import published_entities
from ion_pipeline.pipeline.maintenance import compact, rebuild
from ion_pipeline.publish import publish
from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import connect
from tests.integration.conftest import settings_for
from tests.integration.support.warehouse import query

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def older_sdl() -> str:
    older = build_schema(schema.known_sdl())
    assert older.query_type
    del older.query_type.fields["labels"]
    part = older.get_type("Part")
    del part.fields["leadTime"]  # type: ignore[union-attr]
    enum = older.get_type("Parttypeenum")
    assert isinstance(enum, GraphQLEnumType)
    del enum.values["TOOL"]
    return print_schema(older)


def forget() -> None:
    """The next who asks for the shipped schema gets what is in its place by then."""
    schema.known_document.cache_clear()
    schema.known_schema.cache_clear()
    known_catalog.cache_clear()


@pytest.fixture
def older_schema() -> Iterator[pytest.MonkeyPatch]:
    text = older_sdl()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "known_sdl", lambda: text)
        forget()
        yield patch
    forget()


@pytest.fixture
def settings(tmp_path: Path, demo_world: Path) -> Iterator[Settings]:
    with running_sandbox(world=demo_world) as sandbox:
        yield settings_for(sandbox, tmp_path / "data")


def rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def publish_two_tables(settings: Settings) -> Path:
    """Publish the tables of parts and labels as a refresh does after its build."""
    with connect(settings.warehouse_path) as connection:
        export_control.prepare(connection, settings)
        connection.execute("create schema ops; create table ops.any_model as select 1 as one")
    tables = [table for table in published_entities(settings) if table.name in {"parts", "labels"}]
    return publish(settings.warehouse_path, settings.published_dir, entity_tables=tables).database


def world_rows(demo_world: Path, entity: str) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in (demo_world / f"{entity}.ndjson").read_bytes().splitlines()]


@pytest.mark.usefixtures("older_schema")
def test_what_is_new_is_reported_and_read_once_it_is_adopted(settings: Settings, demo_world: Path) -> None:
    assert "labels" not in known_catalog().entities
    parts, labels = world_rows(demo_world, "parts"), world_rows(demo_world, "labels")
    assert any(part.get("leadTime") is not None for part in parts)
    assert any(part.get("partType") == "TOOL" for part in parts)
    assert labels

    steps.extract(settings)
    steps.load(settings)
    assert rows(
        settings, "select count(*) from duckdb_columns() where table_name = 'parts' and column_name = 'lead_time'"
    ) == [(0,)]
    drift = set(rows(settings, "select kind, field, tenant_type from raw._ion_schema_drift"))
    assert {("new", "Part.leadTime", "Int"), ("new_enum_value", "parts.part_type", "TOOL")} <= drift
    assert ("new", "Query.labels", "LabelsConnection") in drift
    report = check(settings)
    [seen] = [entity for entity in report.entities if entity.entity == "parts"]
    assert (seen.new, seen.new_values) == (("Part.leadTime",), ("Parttypeenum.TOOL",))
    assert report.new_entities == ("labels",)
    files = {path: path.read_bytes() for path in Path(settings.lake_dir).rglob("*.parquet")}

    found = adopt(settings)
    assert (found.fields, found.values, found.entities) == (("Part.leadTime",), ("Parttypeenum.TOOL",), ("labels",))
    assert not adopt(settings)
    extracted = steps.extract(settings)
    assert {one.entity for one in extracted.entities if one.requests} == {"parts", "labels"}
    steps.load(settings)

    assert dict(rows(settings, "select id, lead_time from raw.parts")) == {
        one["id"]: one.get("leadTime") for one in parts
    }
    assert dict(rows(settings, "select id, value from raw.labels")) == {one["id"]: one["value"] for one in labels}
    published = publish_two_tables(settings)
    assert dict(query(published, "select part_id, lead_time from ion.parts")) == {
        one["id"]: one.get("leadTime") for one in parts
    }
    assert dict(query(published, "select label_id, label from ion.labels")) == {
        one["id"]: one["value"] for one in labels
    }
    latest = rows(
        settings,
        "select kind, field from raw._ion_schema_drift where load_id = (select max(load_id) from raw._ion_loads)",
    )
    assert latest == []
    assert {path: path.read_bytes() for path in files} == files, "loads that are there are not rewritten"
    assert steps.extract(settings).load_id is None

    # A rebuild without the tenant gives the same, whether the lake is compacted or not.
    columns = ", ".join(column.name for column in data_catalog(settings.data_dir).tables["parts"].columns)
    every_part = f"select {columns} from raw.parts order by id"  # noqa: S608 -- our own names
    before = rows(settings, every_part)
    rebuild(settings)
    assert rows(settings, every_part) == before
    assert len(compact(settings, keep=0).load_ids) == 2
    rebuild(settings)
    assert rows(settings, every_part) == before


def test_after_an_upgrade_that_knows_what_was_adopted_the_directory_goes_on(
    settings: Settings, older_schema: pytest.MonkeyPatch
) -> None:
    adopt(settings)
    adopted = data_catalog(settings.data_dir).tables
    steps.extract(settings)
    steps.load(settings)
    older_schema.undo()
    forget()
    caught_up = data_catalog(settings.data_dir).tables
    assert {name: set(table.columns) for name, table in caught_up.items()} == {
        name: set(table.columns) for name, table in adopted.items()
    }
    assert not adopt(settings)
