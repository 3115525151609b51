"""What can go wrong in a refresh, from the command line: one clear message, the right exit code, nothing harmed."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.pipeline import maintenance, steps
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.settings import Settings
from tests.integration.conftest import MEMORY, build_only, settings_for
from tests.integration.support.changing_world import served, serving

pytestmark = pytest.mark.slow

ENTITIES = "parts,part_inventories,locations,users"


@pytest.fixture(scope="module")
def sandbox(demo_world: Path) -> Iterator[SandboxAddress]:
    with served(demo_world, "today") as address:
        yield address


def run(address: SandboxAddress, data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line as a person runs it, against a sandbox."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir.parent),
        # The code of these tests, also where another checkout is installed.
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "ION_DATA_DIR": str(data_dir),
        "ION_ENTITIES": ENTITIES,
        # As the shared project was parsed: dbt parses everything anew when this has changed.
        "ION_DUCKDB_MEMORY_LIMIT": MEMORY,
        **address.environment(),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "ion_pipeline.cli", *arguments],
        env=environment,
        cwd=data_dir.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def contents(data_dir: Path) -> dict[str, int]:
    """Rows of every raw table."""
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and not starts_with(table_name, '_')"
        ).fetchall()
        assert tables
        return {table: connection.table(f"raw.{table}").count("*").fetchall()[0][0] for (table,) in tables}


def settings_like(address: SandboxAddress, data_dir: Path) -> Settings:
    """The settings of the command line, for steps that only prepare a test: a process takes seconds to start."""
    return settings_for(address, data_dir, entities=tuple(ENTITIES.split(",")))


def read_all_again(settings: Settings) -> None:
    steps.extract(settings, mode=ReadMode(full=True))
    steps.load(settings)


@pytest.fixture(scope="module")
def loaded_once(sandbox: SandboxAddress, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("failures") / "data"
    settings = settings_like(sandbox, data_dir)
    steps.extract(settings)
    steps.load(settings)
    assert contents(data_dir)["parts"] > 0
    return data_dir


@pytest.fixture
def loaded(loaded_once: Path, tmp_path: Path) -> Path:
    """A data directory with one good load."""
    return Path(shutil.copytree(loaded_once, tmp_path / "data", symlinks=True))


def assert_refused(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    message = " ".join(done.stderr.split())
    for words in said:
        assert words in message


def test_a_wrong_secret(sandbox: SandboxAddress, loaded: Path) -> None:
    before = contents(loaded)
    done = run(sandbox, loaded, "extract", ION_CLIENT_SECRET="not-the-secret")
    assert_refused(done, 1, "ION_CLIENT_SECRET")
    assert "not-the-secret" not in done.stderr + done.stdout
    assert contents(loaded) == before
    assert len(list((loaded / "lake" / "_loads").glob("*.json"))) == 1


def test_an_unreachable_host(sandbox: SandboxAddress, loaded: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = run(sandbox, loaded, "extract", ION_API_URL=url, ION_AUTH_URL=url, ION_MAX_ATTEMPTS="2")
    assert_refused(done, 1, "127.0.0.1", "ION_API_URL")
    assert len(list((loaded / "lake" / "_loads").glob("*.json"))) == 1


def test_another_tenant(demo_world: Path, loaded: Path) -> None:
    with served(demo_world, "full") as other:
        done = run(other, loaded, "extract")
    assert_refused(done, 2, "holds the data of", "ION_DATA_DIR")


def test_a_forbidden_entity_is_reported_and_the_rest_is_read(tmp_path: Path, demo_world: Path) -> None:
    data_dir = tmp_path / "data"
    with serving(build_app(SandboxOptions(world=demo_world, forbid=("locations",)), "a secret").asgi) as address:
        extracted = run(address, data_dir, "extract")
        checked = run(address, data_dir, "check")
    assert extracted.returncode == 0, extracted.stderr
    assert "locations" in extracted.stderr
    assert "permission" in extracted.stderr
    assert checked.returncode == 1
    assert "forbidden" in checked.stdout
    steps.load(settings_like(address, data_dir))
    rows = contents(data_dir)
    assert rows["locations"] == 0
    assert rows["parts"] > 0


def test_a_tenant_without_an_expected_field(tmp_path: Path, demo_world: Path) -> None:
    data_dir = tmp_path / "data"
    with served(demo_world, "missing-fields") as address:
        checked = run(address, data_dir, "check")
        assert run(address, data_dir, "extract").returncode == 0
    assert checked.returncode == 0, checked.stderr
    assert "lacks Part.leadTime" in checked.stdout
    steps.load(settings_like(address, data_dir))
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0, count(lead_time) from raw.parts").fetchall() == [(True, 0)]
        drift = connection.execute(
            "select entity, kind, catalog_type, tenant_type from raw._ion_schema_drift where field = 'Part.leadTime'"
        ).fetchall()
    assert drift == [("parts", "missing", "Int", None)]


def test_a_corrupt_file_in_the_lake(sandbox: SandboxAddress, loaded: Path) -> None:
    before = contents(loaded)
    steps.extract(settings_like(sandbox, loaded), mode=ReadMode(full=True))
    newest = max((loaded / "lake" / "parts").iterdir())
    part = next(newest.glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    done = run(sandbox, loaded, "load")
    assert_refused(done, 1, f"{newest.name}/{part.name}")
    assert contents(loaded) == before


def test_a_full_disk(sandbox: SandboxAddress, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a small file system")
    try:
        data_dir = disk / "data"
        done = run(sandbox, data_dir, "extract", ION_ENTITIES="")
        assert_refused(done, 1, "space")
        assert not list((data_dir / "lake" / "_loads").glob("*.json"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_failing_build_publishes_nothing(
    sandbox: SandboxAddress, loaded: Path, rendered: Callable[[Path], None]
) -> None:
    rendered(loaded)
    build_only(settings_like(sandbox, loaded), "parts")
    contents = "select count(*), sum(hash(parts)::hugeint) from reference.parts"
    with duckdb.connect(str(loaded / "warehouse.duckdb")) as connection:
        before = connection.execute(contents).fetchall()
        connection.execute("insert into raw.parts from raw.parts limit 1")
    done = run(sandbox, loaded, "build", "--select", "+parts")
    assert_refused(done, 1, "model.ion_warehouse.parts", "Nothing was published")
    with duckdb.connect(str(loaded / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute(contents).fetchall() == before
    assert not (loaded / "published").exists()


def test_a_wrong_setting_is_one_line(sandbox: SandboxAddress, tmp_path: Path) -> None:
    done = run(sandbox, tmp_path / "data", "refresh", ION_ENVIRONMENT="prod")
    assert_refused(done, 2, "ION_ENVIRONMENT: must be one of embedded, production")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_rebuild_restores_the_contents(sandbox: SandboxAddress, loaded: Path) -> None:
    read_all_again(settings_like(sandbox, loaded))
    before = contents(loaded)
    with duckdb.connect(str(loaded / "warehouse.duckdb")) as connection:
        connection.execute("delete from raw.parts")
    done = run(sandbox, loaded, "rebuild")
    assert done.returncode == 0, done.stderr
    assert "Rebuilt from 2 loads" in done.stdout
    assert contents(loaded) == before
    part = next((loaded / "lake" / "parts").rglob("*.parquet"))
    part.unlink()
    done = run(sandbox, loaded, "rebuild")
    assert_refused(done, 1, f"{part.parent.name}/{part.name}")
    assert contents(loaded) == before


@pytest.mark.exhaustive
def test_compacting_says_what_it_saves_and_changes_no_table(sandbox: SandboxAddress, loaded: Path) -> None:
    for _ in range(2):
        read_all_again(settings_like(sandbox, loaded))
    before = contents(loaded)
    parts = set((loaded / "lake" / "parts").iterdir())
    assert len(parts) == 3
    foreseen = run(sandbox, loaded, "compact", "--keep", "1", "--dry-run")
    assert "2 loads would be compacted, 1 kept" in foreseen.stdout
    assert set((loaded / "lake" / "parts").iterdir()) == parts
    done = run(sandbox, loaded, "compact", "--keep", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == foreseen.stdout.replace("would be compacted", "compacted")
    assert len(list((loaded / "lake" / "parts").iterdir())) == 2
    assert "every load" in run(sandbox, loaded, "load").stdout
    maintenance.rebuild(settings_like(sandbox, loaded))
    assert contents(loaded) == before
    assert "Nothing to compact" in run(sandbox, loaded, "compact").stdout
