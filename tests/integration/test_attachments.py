"""Files that ION keeps, downloaded over a real socket: all of them, whole, once, and nothing else."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ion_pipeline import cli
from ion_pipeline.client import retry
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.files import FileWriteError, LockedError
from ion_pipeline.lake import claim_tenant
from ion_pipeline.pipeline.attachments import Folder, fetch
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built
from tests.integration.support.file_tenant import (
    FileTenant,
    Quiet,
    chosen,
    fetched,
    files_in,
    named,
    one,
    serving_files,
    settings_with,
)
from tests.oracle.world import World, read_world_dir

pytestmark = pytest.mark.slow

MIB = 1 << 20


@pytest.fixture(scope="module")
def world(demo_world: Path) -> World:
    return read_world_dir(demo_world)


@pytest.fixture(scope="module")
def served_once(demo_world: Path) -> Iterator[FileTenant]:
    with serving_files(demo_world) as served:
        yield served


@pytest.fixture
def tenant(served_once: FileTenant, monkeypatch: pytest.MonkeyPatch) -> FileTenant:
    monkeypatch.setattr(retry, "full_jitter", lambda *_: 0.0)
    served_once.reset()
    return served_once


@pytest.fixture
def settings(tenant: FileTenant, demo_warehouse: Built, tmp_path: Path) -> Settings:
    return settings_with(tenant, demo_warehouse, tmp_path / "data")


def test_every_file_of_the_world_is_downloaded_once(
    settings: Settings, tenant: FileTenant, world: World, tmp_path: Path
) -> None:
    names = {row["id"]: row["filename"] for row in files_in(world)}
    assert len(names) > 60
    folder = tmp_path / "files"
    before = os.umask(0o077)
    try:
        report = fetch(settings, chosen(settings, every=True), folder, Quiet())
    finally:
        os.umask(before)
    assert report.count("fetched") == len(report.files) == len(names)
    # No name of the factory's needs another one on disk.
    assert named(folder) == {f"{number}-{name}": tenant.content(number) for number, name in names.items()}
    assert {result.checked for result in report.files} == {"md5"}
    assert report.received == sum(map(len, named(folder).values()))
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")} == {0o600, 0o700}
    # What the file host was sent, and that nothing of it was written.
    assert {frozenset(headers) for headers in tenant.front.asked} == {
        frozenset({"host", "user-agent", "accept", "accept-encoding"})
    }
    assert len(set(tenant.front.links)) == len(tenant.front.links) == len(names)
    signatures = [link.partition("X-Amz-Signature=")[2].encode() for link in tenant.front.links]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [signature for signature in signatures if signature in written]

    again = fetch(settings, chosen(settings, every=True), folder, Quiet())
    assert (again.count("kept"), again.received, len(tenant.front.asked)) == (len(names), 0, len(names))


HOSTILE = {
    53: "../../../evil.txt",
    54: "/etc/passwd",
    55: "same.pdf",
    56: "same.pdf",
    57: "invoice\u202efdp.exe",
    58: "x" * 400 + ".pdf",
    59: "",
    60: ".ion-attachments",
    61: "a\x00b\n\x1b[31m.pdf",
    62: "C:\\temp\\..\\x",
}


def test_a_name_is_never_a_path(settings: Settings, tenant: FileTenant, tmp_path: Path) -> None:
    table = tenant.app.engine.store.tables["FileAttachment"]
    slot = table.node.slots["filename"]
    before = {number: list(table.stored(number)) for number in HOSTILE}
    there = {path for path in tmp_path.rglob("*") if "files" not in path.parts}
    try:
        for number, name in HOSTILE.items():
            table.put([*before[number][:slot], name, *before[number][slot + 1 :]])
        report = fetched(settings, *HOSTILE)
    finally:
        for row in before.values():
            table.put(row)
    assert report.count("fetched") == len(HOSTILE)
    found = named(settings.data_dir / "files")
    assert sorted(found.values()) == sorted(map(tenant.content, HOSTILE))
    assert {name for name in found if not name.startswith("58-")} == {
        "53-_.._.._evil.txt", "54-_etc_passwd", "55-same.pdf", "56-same.pdf", "57-invoice_fdp.exe",
        # Its name when it was published.
        "59-purchaseOrders - protocol.pdf",
        "60-ion-attachments", "61-a_b__[31m.pdf", "62-C__temp_.._x",
    }  # fmt: skip
    added = {path for path in tmp_path.rglob("*") if "files" not in path.parts} - there
    assert {path.name for path in added} == {"tenant.json"}


def test_what_somebody_else_put_there_is_not_replaced(settings: Settings, tmp_path: Path) -> None:
    folder = settings.data_dir / "files"
    name = chosen(settings, ids=[53])[0].filename
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (folder / f"53-{name}").symlink_to(precious)
    with pytest.raises(FileWriteError, match="was not downloaded by ion-pipeline"):
        fetched(settings, 53)
    assert precious.read_text() == "mine"
    assert (folder / f"53-{name}").is_symlink()


def test_a_changed_file_is_downloaded_again(settings: Settings, tenant: FileTenant) -> None:
    first = one(settings, 53)
    assert first.path
    first.path.write_bytes(b"shortened")
    assert (one(settings, 53).status, first.path.read_bytes()) == ("fetched", tenant.content(53))
    table = tenant.app.engine.store.tables["FileAttachment"]
    before = list(table.stored(38))
    slot = table.node.slots["_etag"]
    # The published file has no etag of a file in an attribute, so ION is asked for it.
    assert [one(settings, 38).status for _ in range(2)] == ["fetched", "kept"]
    try:
        table.put([*before[:slot], "another", *before[slot + 1 :]])
        assert [one(settings, 38).status for _ in range(2)] == ["fetched", "kept"]
    finally:
        table.put(before)


def test_an_id_of_another_tenant_is_not_asked_for(settings: Settings, tenant: FileTenant) -> None:
    claim_tenant(settings.data_dir, "another", "api.example")
    with pytest.raises(TenantMismatchError):
        fetched(settings, 53)
    assert tenant.front.asked == []


def test_two_at_once_do_not_share_a_folder(settings: Settings) -> None:
    with Folder(settings.data_dir / "files").locked(0.0), pytest.raises(LockedError, match="fetching attachments"):
        fetched(settings, 53)


def test_a_killed_download_resumes(settings: Settings, tenant: FileTenant, tmp_path: Path) -> None:
    tenant.app.files.size = 40 * MIB
    child: list[subprocess.Popen[bytes]] = []

    def kill(sent: int) -> None:
        # What the sockets of both sides hold is less than half of it.
        if sent >= 32 * MIB and child:
            child.pop().send_signal(signal.SIGKILL)

    # In pieces: a body that is sent at once would be sent before anything is read.
    tenant.app.faults.set([{"kind": "slow", "endpoint": "files"}])
    tenant.front.on_sent = kill
    folder = settings.data_dir / "files"
    command = [sys.executable, "-m", "ion_pipeline.cli", "attachments", "fetch", "--id", "53", "--to", str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ION_")}
    environment |= tenant.address.environment() | {"ION_DATA_DIR": str(settings.data_dir)}
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
    child.append(process)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    assert named(folder) == {}
    durable = Folder(folder).arrived(53)
    assert 8 * MIB <= durable < 40 * MIB

    tenant.app.faults.clear()
    result = one(settings, 53)
    assert result.path
    assert result.path.read_bytes() == tenant.content(53)
    assert (result.received, result.checked) == (40 * MIB - durable, "md5")
    assert tenant.front.asked[-1]["range"] == f"bytes={durable}-"
    assert sorted(path.name for path in (folder / ".ion-attachments").iterdir()) == ["53.json", "lock"]


def test_the_file_changes_while_its_download_is_interrupted(settings: Settings, tenant: FileTenant) -> None:
    tenant.app.files.size = 4 * MIB
    tenant.app.faults.set([{"kind": "truncate", "endpoint": "files", "next": 1}, {"kind": "drop", "endpoint": "files"}])
    assert fetched(settings, 53).count("failed") == 1
    assert Folder(settings.data_dir / "files").arrived(53) == 2 * MIB
    tenant.app.faults.clear()
    for size in (3 * MIB, MIB):
        tenant.app.files.size = size
        result = one(settings, 53)
        assert result.path
        assert (result.path.read_bytes(), result.received) == (tenant.content(53), size)
        result.path.unlink()


def test_the_command(settings: Settings, tenant: FileTenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in tenant.address.environment().items():
        monkeypatch.setenv(name, value)

    def run(*options: str) -> Any:
        return CliRunner().invoke(cli.app, ["--data-dir", str(settings.data_dir), "attachments", "fetch", *options])

    listed = run("--id", "53", "--dry-run")
    assert listed.exit_code == 0, listed.output
    assert "53" in listed.stdout
    assert tenant.front.asked == []
    assert not (settings.data_dir / "attachments").exists()
    done = run("--id", "53", "--to", str(tmp_path / "there"))
    assert (done.exit_code, "1 file downloaded" in done.stdout) == (0, True), done.output
    assert list(named(tmp_path / "there").values()) == [tenant.content(53)]
    tenant.app.faults.set([{"kind": "status", "status": 404, "endpoint": "files"}])
    failed = run("--id", "54", "--json")
    assert failed.exit_code == 1
    assert '"failed": 1' in failed.stdout
    assert [run().exit_code, run("--all", "--id", "1").exit_code, run("--id", "1", "--components").exit_code] == [
        2,
        2,
        2,
    ]
