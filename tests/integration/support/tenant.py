"""A factory's tenant that people work in, what is kept of it, and a full read to compare that with."""

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx

from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.steps import ExtractReport, ReadMode
from ion_pipeline.sandbox.server import SandboxAddress
from ion_pipeline.settings import Settings
from tests.integration.conftest import move_tenant, settings_for
from tests.integration.support.changing_world import served

# With and without lists inside, with and without an id, and one without an `_updated` filter.
ENTITIES = (
    "abom_installations",
    "build_requirements",
    "issue_part_inventories",
    "part_inventories",
    "parts",
    "runs",
    "run_steps",
    "validation_functions",
)
FULL = ReadMode(full=True, accept_deletes=True)


@dataclass(frozen=True)
class Tenant:
    """A running sandbox and what is kept of it."""

    address: SandboxAddress
    settings: Settings
    folder: Path

    def change(self, *changes: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        body = {"changes": changes, "before": before} if before else list(changes)
        answer = httpx.post(f"{self.address.api_url}/_sandbox/changes", json=body)
        assert answer.status_code == 200, answer.text

    def refresh(self, **mode: bool) -> ExtractReport:
        report = steps.extract(self.settings, mode=ReadMode(**mode))
        steps.load(self.settings)
        return report

    def requests_of_a_refresh(self) -> tuple[ExtractReport, int]:
        """What a refresh did, and how many requests the sandbox counted."""
        httpx.post(f"{self.address.api_url}/_sandbox/stats/reset").raise_for_status()
        report = self.refresh()
        return report, httpx.get(f"{self.address.api_url}/_sandbox/stats").json()["requests"]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def ids(self, table: str) -> list[int]:
        return [row[0] for row in self.query(f"select id from raw.{table} order by id")]  # noqa: S608 -- our own names

    def differences(self) -> list[str]:
        """Tables of `raw` that are not as a full read into another directory has them."""
        fresh = self.settings.model_copy(
            update={"data_dir": self.folder / f"fresh-{random.random()}", "page_size": 500}
        )
        steps.extract(fresh, mode=FULL)
        steps.load(fresh)
        kept, wanted = contents(self.settings), contents(fresh)
        assert sum(map(len, wanted.values())) > 100
        return [name for name in wanted if kept[name] != wanted[name]]


def contents(settings: Settings) -> dict[str, list[str]]:
    """Rows of every raw table as sorted text, without when they were read."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and not starts_with(table_name, '_')"
        ).fetchall()
        return {
            table: sorted(
                map(repr, connection.execute(f"select * exclude (_ion_load, _ion_seen_at) from raw.{table}").fetchall())  # noqa: S608
            )
            for (table,) in tables
        }


def history(database: Path) -> dict[str, list[str]]:
    """Rows of every history table as sorted text."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw_history'"
        ).fetchall()
        return {
            table: sorted(map(repr, connection.execute(f"select * from raw_history.{table}").fetchall()))  # noqa: S608
            for (table,) in tables
        }


@contextmanager
def running(
    world: Path,
    folder: Path,
    profile: str = "today",
    *,
    forbid: tuple[str, ...] = (),
    read_before: Path | None = None,
    **overrides: Any,
) -> Iterator[Tenant]:
    """A tenant, by default today's ION, that has been read once, now or before."""
    with served(world, profile, forbid=forbid) as address:
        settings = settings_for(address, folder / "data", **{"entities": ENTITIES, "page_size": 50, **overrides})
        tenant = Tenant(address, settings, folder)
        if read_before:
            shutil.copytree(read_before, settings.data_dir, symlinks=True)
            move_tenant(settings.data_dir, address)
        else:
            assert tenant.refresh().load_id
        yield tenant
