"""kill -9 in the middle of a read, again and again: the read that gets through brings what an undisturbed one would."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ion_pipeline.catalog import known_catalog
from ion_pipeline.client import TransportError
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.server import export_world
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import add, delete, served, update
from tests.integration.support.tenant import Tenant, contents, history

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

# With and without lists inside, read in ranges and not, and one that shows its changes by its etags alone.
ENTITIES = ("abom_installations", "part_inventories", "parts", "run_steps", "runs", "validation_functions")
# Sessions, a list of run steps in the shipped schema, are an entity of their own today.
TODAYS = (*ENTITIES, "run_step_sessions")
PAGE, STREAMS, KILLS = 20, 4, 2
# Until the process is up, and at the pace that the sandbox answers at.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def world_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume_world")
    export_world(folder, seed=7, scale=0.1)
    return folder


@contextmanager
def unread(world: Path, folder: Path, profile: str) -> Iterator[Tenant]:
    with served(world, profile) as address:
        settings = settings_for(
            address,
            folder / "data",
            entities=ENTITIES,
            page_size=PAGE,
            max_concurrency=STREAMS,
            checkpoint_seconds=0.0,
        )
        yield Tenant(address, settings, folder)


class Notes(NullReporter):
    """Records the notes."""

    def __init__(self) -> None:
        self.said = ""

    def note(self, message: str) -> None:
        self.said += f"{message}\n"


def at_ease(tenant: Tenant) -> Tenant:
    """The same, read without a thought for crashes: what is before and after the reads that are killed."""
    settings = tenant.settings.model_copy(update={"page_size": 500, "checkpoint_seconds": 3600.0})
    return Tenant(tenant.address, settings, tenant.folder)


def sandbox(tenant: Tenant, path: str, body: Any = None) -> Any:
    url = f"{tenant.address.api_url}/_sandbox/{path}"
    answer = httpx.get(url) if body is None else httpx.post(url, json=body)
    answer.raise_for_status()
    return answer.json()


def extract(tenant: Tenant, *arguments: str, kill_at: int | None = None) -> tuple[int, str]:
    """`ion-pipeline extract` as a process of its own, killed when it has asked so many times and keeps some rows."""
    settings = tenant.settings
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tenant.folder),
        "PYTHONPATH": str(Path.cwd()),
        "ION_DATA_DIR": str(settings.data_dir),
        "ION_ENTITIES": ",".join(settings.entities),
        "ION_PAGE_SIZE": str(PAGE),
        "ION_MAX_CONCURRENCY": str(STREAMS),
        "ION_CHECKPOINT_SECONDS": "0",
        **tenant.address.environment(),
    }
    command = [sys.executable, "-m", "ion_pipeline.cli", "extract", *arguments]
    began = sandbox(tenant, "stats")["requests"]
    with subprocess.Popen(command, env=environment, cwd=tenant.folder, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + PATIENCE
        while kill_at is not None and child.poll() is None and time.monotonic() < deadline:
            if sandbox(tenant, "stats")["requests"] - began >= kill_at and sum(stretches_kept(tenant)):
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.02)
        said = child.stderr.read() if child.stderr else ""
    assert child.returncode in {0, -signal.SIGKILL}, said
    return child.returncode, said


def killed_until_done(tenant: Tenant, *arguments: str, requests: int, seed: int) -> tuple[str, int]:
    """Kill it at random requests, then let it end; gives what the last one said, and the stretches that it found."""
    chance, loads = random.Random(seed), len(Lake(tenant.settings.lake_dir).load_ids())
    for _ in range(KILLS):
        # The first five find out what there is to read.
        code, _ = extract(tenant, *arguments, kill_at=chance.randrange(requests // 5, requests // 2) + 5)
        assert code == -signal.SIGKILL
        assert len(Lake(tenant.settings.lake_dir).load_ids()) == loads
    wait_for_answers(tenant)
    sandbox(tenant, "stats/reset", {})
    stretches = len(stretches_kept(tenant))
    code, said = extract(tenant, *arguments)
    assert code == 0
    assert len(Lake(tenant.settings.lake_dir).load_ids()) == loads + 1
    return said, stretches


def wait_for_answers(tenant: Tenant) -> None:
    """Wait until the sandbox has answered what a killed process had asked: it counts rows when it answers."""
    deadline, asked = time.monotonic() + PATIENCE, -1
    while time.monotonic() < deadline:
        stats, before = sandbox(tenant, "stats"), asked
        asked = stats["requests"]
        if asked == before == sum(stats["by_status"].values()):
            return
        time.sleep(0.05)
    raise AssertionError(stats)


def undisturbed(tenant: Tenant, data_dir: Path) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The warehouse of a read in one go, and what it asked of the sandbox."""
    settings = tenant.settings.model_copy(update={"data_dir": data_dir, "checkpoint_seconds": 3600.0})
    sandbox(tenant, "stats/reset", {})
    steps.extract(settings)
    stats = sandbox(tenant, "stats")
    steps.load(settings)
    return contents(settings), stats


def journal_of(tenant: Tenant) -> dict[str, Any]:
    (path,) = (tenant.settings.lake_dir / "_staging").glob("*/_journal.json")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def stretches_kept(tenant: Tenant) -> list[int]:
    """The rows of each stretch that an interrupted read has kept for the next read."""
    journals = [json.loads(path.read_bytes()) for path in tenant.settings.lake_dir.glob("_staging/*/_journal.json")]
    return [span[2] for journal in journals for note in journal["notes"].values() for span in note["spans"]]


def rows_there(said: str) -> int:
    """Rows that the resumed read says have been read."""
    found = re.search(r"Resuming the read of .*: ([\d,]+) of ([\d,]+) rows have been read", said)
    assert found, said
    there, wanted = (int(number.replace(",", "")) for number in found.groups())
    assert 0 < there < wanted
    return there


@pytest.mark.parametrize("profile", ["today", "full"])
def test_a_first_read_killed_again_and_again(profile: str, world_dir: Path, tmp_path: Path) -> None:
    with unread(world_dir, tmp_path, profile) as tenant:
        wanted, whole = undisturbed(tenant, tmp_path / "whole")
        assert whole["requests"] > 60
        sandbox(tenant, "faults", [{"kind": "latency", "seconds": 0.03}])
        sandbox(tenant, "stats/reset", {})
        said, stretches = killed_until_done(tenant, requests=whole["requests"], seed=1)
        last = sandbox(tenant, "stats")
        # Nothing of what is there is fetched again; the count of each stretch that is there brings a row.
        assert last["rows"] <= whole["rows"] - rows_there(said) + stretches
        assert last["requests"] < whole["requests"] * 0.7
        assert last["rows"] < whole["rows"] * 0.6
        steps.load(tenant.settings)
        assert contents(tenant.settings) == wanted
        for name in ENTITIES:
            file = world_dir / f"{known_catalog().entities[name].root_field}.ndjson"
            rows = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
            assert tenant.ids(name) == sorted(row["id"] for row in rows)
        sandbox(tenant, "faults", [])
        # The etags of all sessions are compared in requests of their own.
        assert tenant.requests_of_a_refresh()[1] <= (6 if profile == "today" else 4)


def test_a_read_that_ion_breaks_off_is_resumed_unless_an_option_forbids_it(world_dir: Path, tmp_path: Path) -> None:
    with unread(world_dir, tmp_path, "today") as tenant:
        heard, settings = Notes(), tenant.settings.model_copy(update={"max_attempts": 1})
        for passing in (60, 25):
            sandbox(tenant, "faults", [{"kind": "drop", "skip": passing}])
            with pytest.raises(TransportError):
                steps.extract(settings, reporter=heard)
            sandbox(tenant, "faults", [])
            there = sum(table["rows"] for name, table in journal_of(tenant)["tables"].items() if name in TODAYS)
            sandbox(tenant, "stats/reset", {})
            if "Resuming the read of" not in heard.said:
                report = steps.extract(settings, mode=ReadMode(full=True), reporter=heard)
                # Nothing of what was there is fetched again; the counts bring a row each.
                assert sandbox(tenant, "stats")["rows"] <= report.rows - there + 4 * len(TODAYS)
                assert f"{there:,} of {report.rows:,} rows have been read" in heard.said
                steps.load(settings)
                many_changes(tenant)
        code, said = extract(tenant, "--no-resume")
        assert (code, "is not resumed: it is to begin afresh" in said) == (0, True)
        steps.load(settings)
        assert at_ease(tenant).differences() == []


def many_changes(tenant: Tenant) -> None:
    steps_there, units = tenant.ids("run_steps"), tenant.ids("part_inventories")
    parts, installations = tenant.ids("parts"), tenant.ids("abom_installations")
    tenant.change(
        *(update("runSteps", row_id, title=f"NEW-{row_id}") for row_id in steps_there[:400]),
        # Not all: as many rows as that are not taken for deleted where sessions are an entity.
        *(update("runSteps", row_id, touch=True, sessions=[]) for row_id in steps_there[::8]),
        *(update("partInventories", row_id, serialNumber=f"NEW-{row_id}") for row_id in units[:400]),
        *(delete("abomInstallations", row_id) for row_id in installations[3::20]),
        *(delete("parts", row_id) for row_id in parts[5:9]),
        add("parts", id=parts[-1] + 1, partNumber="NEW", attributes=[{"key": "mass", "value": 3}]),
    )


@pytest.mark.parametrize("profile", ["today", "full"])
def test_a_refresh_killed_again_and_again(profile: str, world_dir: Path, tmp_path: Path) -> None:
    with unread(world_dir, tmp_path, profile) as tenant:
        at_ease(tenant).refresh()
        many_changes(tenant)
        # What changed in the second that a read begins in is read twice; here it is to be read once.
        time.sleep(1.1)
        subprocess.run(["cp", "-r", str(tenant.settings.data_dir), str(tmp_path / "whole")], check=True)
        wanted, whole = undisturbed(tenant, tmp_path / "whole")
        sandbox(tenant, "faults", [{"kind": "latency", "seconds": 0.03}])
        said, stretches = killed_until_done(tenant, requests=whole["requests"] - 5, seed=2)
        last = sandbox(tenant, "stats")
        # Nothing of what is there is fetched again; the count of each stretch that is there brings a row.
        assert last["rows"] <= whole["rows"] - rows_there(said) + stretches
        assert last["requests"] < whole["requests"]
        sandbox(tenant, "faults", [])
        steps.load(tenant.settings)
        assert contents(tenant.settings) == wanted
        assert at_ease(tenant).differences() == []
        kept, once = history(tenant.settings.warehouse_path), history(tmp_path / "whole" / "warehouse.duckdb")
        assert {name: len(rows) for name, rows in kept.items()} == {name: len(rows) for name, rows in once.items()}


@pytest.mark.parametrize(
    ("first", "profile"),
    [(True, "full"), (False, "today"), (True, "no-updated-filter")],
)
def test_what_changed_between_the_kill_and_the_next_run(
    first: bool, profile: str, world_dir: Path, tmp_path: Path
) -> None:
    with unread(world_dir, tmp_path, profile) as tenant:
        ids = {
            name: [json.loads(line)["id"] for line in (world_dir / f"{name}.ndjson").read_text("utf-8").splitlines()]
            for name in ("parts", "partInventories", "runSteps")
        }
        if not first:
            at_ease(tenant).refresh()
            many_changes(tenant)
        sandbox(tenant, "faults", [{"kind": "latency", "seconds": 0.02}])
        code, _ = extract(tenant, kill_at=30)
        assert code == -signal.SIGKILL
        sandbox(tenant, "faults", [])
        journal = journal_of(tenant)
        read = {
            field: [
                row_id
                for row_id in sorted(ids[field])
                if any(
                    span[0] is None and row_id <= span[1] for span in journal["notes"].get(name, {"spans": []})["spans"]
                )
            ]
            for name, field in (("part_inventories", "partInventories"), ("run_steps", "runSteps"))
        }
        assert all(len(found) > 10 for found in read.values())
        units, done = read["partInventories"], read["runSteps"]
        tenant.change(
            *(delete("partInventories", row_id) for row_id in units[2:5]),
            *(update("partInventories", row_id, serialNumber="AGAIN") for row_id in units[6:9]),
            update("runSteps", done[0], touch=True, sessions=[]),
            add("runSteps", id=max(ids["runSteps"]) + 1, title="NEW"),
            add("partInventories", id=max(ids["partInventories"]) + 1, serialNumber="NEW"),
        )
        heard = Notes()
        steps.extract(tenant.settings, reporter=heard)
        assert "Resuming the read of" in heard.said
        steps.load(tenant.settings)
        assert not set(tenant.ids("part_inventories")) & set(units[2:5])
        assert tenant.ids("run_steps") in (
            sorted(ids["runSteps"]),
            [*sorted(ids["runSteps"]), max(ids["runSteps"]) + 1],
        )
        at_ease(tenant).refresh()
        assert at_ease(tenant).differences() == []
        assert tenant.query("select count(*) from raw.part_inventories where serial_number = 'AGAIN'") == [(3,)]
