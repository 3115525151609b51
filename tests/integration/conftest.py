"""Warehouses built end to end: a world on disk, served over a socket, read, loaded, modelled and published.

Each is built once per test run, also when several workers need it, and is read-only from then on.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from graphql import GraphQLSchema

from ion_pipeline.client import client
from ion_pipeline.pipeline import dbt, entity_tables, export_control, further_actions, steps, tenant_schema
from ion_pipeline.pipeline.dbt.rendered import load_rendered, rendered_digest
from ion_pipeline.pipeline.dbt.replay import replay
from ion_pipeline.pipeline.dbt.report import BuildReport
from ion_pipeline.publish import PublishError
from ion_pipeline.report.writing import write_report
from ion_pipeline.sandbox.server import SandboxAddress, export_world
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import connect

SCALE = 0.2
SEED = 7
MEMORY = "2GB"


@dataclass(frozen=True)
class Built:
    """One warehouse and where it came from."""

    data_dir: Path
    world: Path
    profile: str

    @property
    def warehouse(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.data_dir / "published" / "ion.duckdb"


BuildWarehouse = Callable[..., Built]


def settings_for(sandbox: object, data_dir: Path, **overrides: object) -> Settings:
    """Settings that point at a running sandbox."""
    return load_settings(
        environment="custom",
        api_url=sandbox.api_url,  # type: ignore[attr-defined]
        auth_url=sandbox.auth_url,  # type: ignore[attr-defined]
        client_id=sandbox.client_id,  # type: ignore[attr-defined]
        client_secret=sandbox.client_secret,  # type: ignore[attr-defined]
        data_dir=data_dir,
        duckdb_memory_limit=MEMORY,
        **overrides,
    )


def settings_of(data_dir: Path, *, included: bool) -> Settings:
    """Settings without a tenant, for what is there already; with or without what is under export control."""
    return load_settings(
        environment="embedded", data_dir=data_dir, duckdb_memory_limit=MEMORY, publish_export_controlled=included
    )


def move_tenant(data_dir: Path, address: SandboxAddress) -> None:
    """Make a data directory that of the same tenant at another port.

    A tenant at another port is another tenant, and the port of when it was read may be somebody else's by now.
    """
    known = data_dir / "tenant.json"
    before, now = orjson.loads(known.read_bytes())["api_host"], address.api_url.removeprefix("http://")
    for document in (known, *(data_dir / "lake").rglob("*.json")):
        document.write_text(document.read_text().replace(before, now))
    with duckdb.connect(str(data_dir / "warehouse.duckdb")) as connection:
        connection.execute("update raw._ion_loads set tenant = replace(tenant, ?, ?)", [before, now])


@contextmanager
def continued(built: Built, data_dir: Path) -> Iterator[SandboxAddress]:
    """A copy of what was built and published, and its tenant, for a test of what comes after the first refresh."""
    from tests.integration.support.changing_world import served  # imports this module

    shutil.copytree(built.data_dir, data_dir, symlinks=True, dirs_exist_ok=True)
    with served(built.world, built.profile) as sandbox:
        move_tenant(data_dir, sandbox)
        yield sandbox


@pytest.fixture(scope="session", autouse=True)
def _schemas_read_once() -> Iterator[None]:
    """A tenant's schema, the same in every answer, is read once in a run: half a second of each refresh."""
    read, written = client.build_client_schema, tenant_schema.canonical_sdl
    schemas, texts = dict[bytes, GraphQLSchema](), dict[int, str]()

    def schema(data: Any) -> GraphQLSchema:
        answer = orjson.dumps(data)
        if answer not in schemas:
            schemas[answer] = read(data)
        return schemas[answer]

    def text(of: GraphQLSchema) -> str:
        # Schemas that are not kept here may share an identity, one after the other.
        if not any(of is known for known in schemas.values()):
            return written(of)
        if id(of) not in texts:
            texts[id(of)] = written(of)
        return texts[id(of)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "build_client_schema", schema)
        patch.setattr(tenant_schema, "canonical_sdl", text)
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "warehouses"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def once(shared_folder: Path) -> Callable[[str, Callable[[Path], None]], Path]:
    """Make a folder of this name once per run, whichever worker comes first."""

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder, done = shared_folder / name, shared_folder / f"{name}.done"
        with (shared_folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def demo_world(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The seeded factory on disk, planted truths included."""
    return once("world", lambda folder: export_world(folder, seed=SEED, scale=SCALE))


@pytest.fixture(scope="session")
def parsed(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[Path], None]:
    """Give a data directory what dbt remembers of the project: parsing it takes as long as many a build."""

    def parse(folder: Path) -> None:
        dbt.prepared_manifest(load_settings(data_dir=folder, duckdb_memory_limit=MEMORY))

    def give(data_dir: Path) -> None:
        shutil.copytree(once("parsed", parse) / "dbt", data_dir / "dbt", dirs_exist_ok=True)

    return give


def fill_warehouse(data_dir: Path, world: Path, profile: str) -> Settings:
    """Read a world that a sandbox of this profile serves, and load it."""
    from tests.integration.support.changing_world import served  # imports this module

    with served(world, profile) as sandbox:
        settings = settings_for(sandbox, data_dir)
        steps.extract(settings)
    steps.load(settings)
    return settings


@pytest.fixture(scope="session")
def demo_warehouse(
    demo_world: Path, once: Callable[[str, Callable[[Path], None]], Path], parsed: Callable[[Path], None]
) -> Built:
    """The factory, read from a tenant with the whole schema and built by dbt."""

    def fill(data_dir: Path) -> None:
        parsed(data_dir)
        settings = fill_warehouse(data_dir, demo_world, "full")
        dbt.build(settings)
        steps.publish(settings)

    return Built(once(f"{demo_world.name}-full", fill), demo_world, "full")


@pytest.fixture(scope="session")
def rendered(demo_warehouse: Built) -> Callable[[Path], None]:
    """Give a data directory what dbt rendered: its builds are those of a directory that dbt has built before."""

    def give(data_dir: Path) -> None:
        shutil.copytree(demo_warehouse.data_dir / "dbt", data_dir / "dbt", dirs_exist_ok=True)

    return give


def build_only(settings: Settings, *wanted: str) -> BuildReport:
    """Build these models or schemas and what they read, from what dbt rendered; the tests of it do not run."""
    work = settings.data_dir / "dbt"
    rendering = load_rendered(work, rendered_digest(dbt.models_digest(settings)))
    assert rendering, "dbt has not rendered these models here"
    nodes = rendering.nodes
    needed = {unique_id for unique_id, node in nodes.items() if not {node.name, node.schema}.isdisjoint(wanted)}
    waiting = list(needed)
    while waiting:
        above = set(nodes[waiting.pop()].parents) - needed
        needed |= above
        waiting += above
    with connect(settings.warehouse_path) as connection:
        export_control.prepare(connection, settings)
        entity_tables.prepare(connection, settings)
        further_actions.prepare(connection, settings)
        report = replay(connection, rendering, {nodes[unique_id].name for unique_id in needed})
    assert [node for node in report.nodes if node.status != "success"] == []
    return report


@pytest.fixture(scope="session")
def build_warehouse(
    once: Callable[[str, Callable[[Path], None]], Path], rendered: Callable[[Path], None]
) -> BuildWarehouse:
    """Build the warehouse of any world under any profile of the sandbox; with `only`, nothing else of it."""

    def build(world: Path, profile: str = "full", *, only: tuple[str, ...] = ()) -> Built:
        def fill(data_dir: Path) -> None:
            rendered(data_dir)
            settings = fill_warehouse(data_dir, world, profile)
            if only:
                build_only(settings, *only)
                return
            dbt.build_pending(settings)
            steps.publish(settings)

        return Built(once("-".join([world.name, profile, *only]), fill), world, profile)

    return build


@pytest.fixture(scope="session")
def generation_1_warehouse(demo_world: Path, build_warehouse: BuildWarehouse) -> Built:
    """The factory, read from a tenant that knows only the first generation of the as-built BOM."""
    return build_warehouse(demo_world, "generation-1")


@pytest.fixture(scope="session")
def nested_warehouse(demo_world: Path, build_warehouse: BuildWarehouse) -> Built:
    """The factory, read from a tenant without root connections for the as-built BOM."""
    return build_warehouse(demo_world, "no-root-abom")


@pytest.fixture(scope="session")
def left_out(once: Callable[[str, Callable[[Path], None]], Path], demo_warehouse: Built) -> Built:
    """The demo's warehouse, built and published again without what is controlled."""

    def fill(data_dir: Path) -> None:
        shutil.copytree(demo_warehouse.data_dir, data_dir, symlinks=True, dirs_exist_ok=True)
        settings = settings_of(data_dir, included=False)
        with pytest.raises(PublishError, match="ION_PUBLISH_EXPORT_CONTROLLED"):
            steps.publish(settings)
        dbt.build_pending(settings)
        steps.publish(settings)
        write_report(settings, data_dir / "report.html")

    return replace(demo_warehouse, data_dir=once("left-out", fill))
