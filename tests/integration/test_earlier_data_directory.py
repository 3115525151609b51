"""A data directory that an earlier version made is read, refreshed, rebuilt, compacted and published.

`tests/data/data_directory_0.1.0.tar.xz` was written by version 0.1.0 before the packages were rearranged: the small
factory of `changing_world`, a compacted snapshot of three loads, one load after it, all models built and published, and
a read of everything that was interrupted. `changes.json` holds what was changed at the tenant on the way.
"""

import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from ion_pipeline.pipeline import dbt, maintenance, steps
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.world import write_world
from tests.integration.conftest import move_tenant, settings_for, settings_of
from tests.integration.support.changing_world import (
    ENTITIES,
    PAGE,
    ChangingWorld,
    Tenant,
    delete,
    served,
    small_factory,
    update,
)

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

MADE = Path(__file__).parents[1] / "data" / "data_directory_0.1.0.tar.xz"
# An interrupted read is resumed however long ago it was; the setting's upper bound is another test's.
LONG = 24 * 365 * 100


class Notes(NullReporter):
    """Keeps the notes to the user."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with tarfile.open(MADE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "data"


@pytest.fixture
def tenant(data_dir: Path, tmp_path: Path) -> Iterator[Tenant]:
    world = small_factory()
    write_world(world, tmp_path / "world")
    with served(tmp_path / "world", "full") as address:
        settings = settings_for(
            address, data_dir, entities=ENTITIES, page_size=PAGE, max_concurrency=4, resume_hours=LONG
        )
        move_tenant(settings.data_dir, address)
        tenant = Tenant(address, settings, ChangingWorld(world))
        tenant.change(*json.loads((settings.data_dir / "changes.json").read_text(encoding="utf-8")))
        yield tenant


def history(tenant: Tenant) -> set[tuple[Any, ...]]:
    """Versions that have ended: no later load may change them."""
    columns = "id, part_number, valid_from, valid_to, is_current"
    return set(tenant.query(f"select {columns} from raw_history.parts where valid_to is not null"))  # noqa: S608


def test_it_is_read_refreshed_built_and_published(tenant: Tenant, rendered: Callable[[Path], None]) -> None:
    before, notes = history(tenant), Notes()
    published = orjson.loads((tenant.settings.published_dir / "latest.json").read_bytes())["publish_id"]
    assert before
    steps.extract(tenant.settings, mode=ReadMode(full=True), reporter=notes)
    # Its interrupted read has the columns of that version; this one has more (`_etag` of sessions), so it starts again.
    [why] = [note for note in notes.notes if note.startswith("The interrupted read of")]
    assert why.endswith("is not resumed: there is another schema at ION and another set of columns now.")
    steps.load(tenant.settings)
    assert tenant.differences() == []

    tenant.change(update("parts", 20, partNumber="P-2 C"), delete("labels", 60))
    assert tenant.refresh().load_id
    assert tenant.differences() == []
    assert before < history(tenant)

    rendered(tenant.settings.data_dir)
    assert dbt.build_pending(tenant.settings).nodes
    report = steps.publish(tenant.settings)
    assert report.publish_id > published
    assert (tenant.settings.published_dir / "publishes" / published).is_dir(), "the publish before it is kept"
    with duckdb.connect(str(report.database), read_only=True) as connection:
        names = {name for (name,) in connection.execute("select part_number from reference.parts").fetchall()}
    assert names == {row["partNumber"] for row in tenant.world.rows["parts"].values()}


def test_it_is_built_before_it_is_read(data_dir: Path, rendered: Callable[[Path], None]) -> None:
    """Its load log lacks what later versions record; when it was published is known from its publish."""
    settings, document = settings_of(data_dir, included=True), (data_dir / "published" / "latest.json").read_bytes()
    rendered(data_dir)
    views = ("stg_ion__loads", "stg_ion__load_tables", "stg_ion__load_delays", "stg_ion__users", "int_loads__delays")
    assert dbt.build_named(settings, [*views, "loads"]).nodes
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found = connection.execute("select distinct published_at, delayed_change_count from ops.loads").fetchall()
    assert found == [(datetime.fromisoformat(orjson.loads(document)["published_at"]), None)]


def test_its_lake_gives_the_same_when_rebuilt_and_compacted(data_dir: Path) -> None:
    settings = settings_of(data_dir, included=True)
    tables = (
        "raw.parts",
        "raw_history.parts",
        "raw_history.build_requirement_part_inventories",
        "raw._ion_load_tables",
    )

    def contents() -> list[list[Any]]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            return [connection.execute(f"from {table} order by all").fetchall() for table in tables]

    before = contents()
    assert all(before)
    maintenance.rebuild(settings)
    assert contents() == before
    assert len(maintenance.compact(settings, keep=0).load_ids) == 4
    maintenance.rebuild(settings)
    assert contents() == before
