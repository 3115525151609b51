"""Files that ION keeps, downloaded over a real socket: all of them, whole, once, and nothing else."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from ion_pipeline import cli
from ion_pipeline.client import TransportError, retry
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.files import FileWriteError, LockedError
from ion_pipeline.lake import claim_tenant
from ion_pipeline.pipeline.attachments import FetchReport, FileResult, Folder, fetch
from ion_pipeline.publish.attachments import Attachment, Attachments, Choice, UnknownOwnerError, open_attachments
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built, settings_for
from tests.integration.support.changing_world import serving
from tests.oracle.world import Row, World, read_world_dir

pytestmark = pytest.mark.slow

MIB = 1 << 20


class Front:
    """The sandbox, and what it is asked for about files: the headers of each request, in lower case."""

    def __init__(self, app: SandboxApp) -> None:
        self.app = app
        self.asked: list[dict[str, str]] = []
        self.links: list[str] = []
        self.on_sent: Callable[[int], None] = lambda _: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent = 0

        async def counted(message: Any) -> None:
            nonlocal sent
            await send(message)
            sent += len(message.get("body", b""))
            self.on_sent(sent)

        if not scope["path"].startswith("/_files/"):
            await self.app.asgi(scope, receive, send)
            return
        self.asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.links.append(scope["query_string"].decode())
        await self.app.asgi(scope, receive, counted)


@dataclass
class Tenant:
    front: Front
    address: SandboxAddress

    @property
    def app(self) -> SandboxApp:
        return self.front.app

    def content(self, number: int) -> bytes:
        return self.app.files.content(number)


class Quiet:
    """No progress."""

    def started(self, number: int, name: str, size: int | None, arrived: int) -> None:
        pass

    def advanced(self, number: int, size: int) -> None:
        pass

    def finished(self, result: FileResult) -> None:
        pass


@pytest.fixture(scope="module")
def world(demo_world: Path) -> World:
    return read_world_dir(demo_world)


@pytest.fixture(scope="module")
def served_once(demo_world: Path) -> Iterator[Tenant]:
    front = Front(build_app(SandboxOptions(world=demo_world), "a secret"))
    with serving(front) as address:
        yield Tenant(front, address)


@pytest.fixture
def tenant(served_once: Tenant, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setattr(retry, "full_jitter", lambda *_: 0.0)
    served_once.app.faults.clear()
    served_once.app.files.size = None
    served_once.front.asked.clear()
    served_once.front.links.clear()
    served_once.front.on_sent = lambda _: None
    return served_once


@pytest.fixture
def settings(tenant: Tenant, demo_warehouse: Built, tmp_path: Path) -> Settings:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "published").symlink_to(demo_warehouse.data_dir / "published")
    return settings_for(tenant.address, data_dir, max_attempts=4)


def chosen(settings: Settings, **choice: Any) -> list[Attachment]:
    with open_attachments(settings.published_dir) as published:
        return published.chosen(Choice(**choice))


def fetched(settings: Settings, *numbers: int) -> FetchReport:
    files = chosen(settings, ids=numbers)
    return fetch(settings, files, settings.data_dir / "files", Quiet())


def one(settings: Settings, number: int) -> FileResult:
    (result,) = fetched(settings, number).files
    return result


def named(folder: Path) -> dict[str, bytes]:
    """The files of a folder, without what the program knows of them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_every_file_of_the_world_is_downloaded_once(
    settings: Settings, tenant: Tenant, world: World, tmp_path: Path
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


def files_in(value: Any) -> Iterator[Row]:
    """Every file of a world, wherever it is."""
    if isinstance(value, dict):
        if "s3Key" in value:
            yield value
        for part in value.values():
            yield from files_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from files_in(part)


def ids_in(*rows: Row) -> set[int]:
    """The files in rows, and those that a column or an attribute names."""
    found = {row["id"] for row in files_in(list(rows))}
    named = [row.get(column) for row in rows for column in ("pdfAssetId", "fileAttachmentId")]
    named += [attribute.get("fileAttachmentId") for row in rows for attribute in row.get("attributes") or ()]
    return found | {number for number in named if number}


def test_the_files_of_an_issue_a_run_and_a_unit(settings: Settings, world: World) -> None:
    with open_attachments(settings.published_dir) as published:
        _compare_choices(published, world)


def _compare_choices(published: Attachments, world: World) -> None:
    steps_of: dict[int, list[Row]] = defaultdict(list)
    for step in world["runSteps"]:
        steps_of[step["runId"]].append(step)
    fields_of: dict[int, list[Row]] = defaultdict(list)
    for field in world["runStepFields"]:
        fields_of[field["runStepId"]].append(field)

    def of_run(run: Row) -> set[int]:
        steps = steps_of[run["id"]]
        return ids_in(run, *steps, *(field for step in steps for field in fields_of[step["id"]]))

    def listed(**choice: Any) -> set[int]:
        return {file.file_attachment_id for file in published.chosen(Choice(**choice))}

    issues = {issue["id"]: ids_in(issue) for issue in world["issues"]}
    runs = {run["id"]: of_run(run) for run in world["runs"]}
    some = [number for number, files in runs.items() if files][:6]
    assert len(some) > 3
    assert any(issues.values())
    for number in [*some, next(number for number, files in runs.items() if not files)]:
        assert listed(runs=[number]) == runs[number]
    for number in (next(number for number, files in issues.items() if files), min(issues)):
        assert listed(issues=[number]) == issues[number]
    assert listed(issues=list(issues), runs=some) == set().union(*issues.values(), *(runs[number] for number in some))

    links = {(link["issueId"], link["partInventoryId"]) for link in world["issuePartInventories"]}
    links |= {(issue["id"], issue.get("partInventoryId")) for issue in world["issues"]}
    received = {(item["receiptId"], item["partInventoryId"]) for item in world["receiptItems"]}
    made: dict[int, set[int]] = defaultdict(set)
    for run in world["runs"]:
        for number in {run.get("partInventoryId"), *(link["id"] for link in run.get("originPartInventories") or ())}:
            made[number or 0].add(run["id"])
    units = {}
    for unit in world["partInventories"]:
        number = unit["id"]
        units[number] = ids_in(unit).union(
            *(runs[run] for run in made[number]),
            *(issues[issue] for issue, of in links if of == number),
            *(ids_in(row) for row in world["receipts"] if (row["id"], number) in received),
        )
    several = sorted(units, key=lambda number: len(units[number]))[-4:]
    assert len(units[several[0]]) > 0
    for number in several:
        assert listed(units=[f"#{number}"]) == units[number]


def test_the_files_of_everything_installed_in_a_unit(
    settings: Settings, demo_warehouse: Built, world: World, tmp_path: Path
) -> None:
    requirements = {row["id"]: {link["id"] for link in row["partInventories"]} for row in world["buildRequirements"]}
    parents: dict[int, set[int]] = defaultdict(set)
    for row in world["abomInstallations"]:
        parents[row["partInventoryId"]] |= requirements.get(row.get("buildRequirementId"), set())
    # A unit with a unit inside that has a unit inside, each with one place.
    grandparent, parent, child = next(
        (*parents[min(above)], *above, number)
        for number, above in sorted(parents.items())
        if len(above) == 1 and len(parents[min(above)]) == 1 and not parents[min(parents[min(above)])]
    )
    published = tmp_path / "published"
    published.mkdir()
    shutil.copyfile(demo_warehouse.published, published / "ion.duckdb")
    with duckdb.connect(str(published / "ion.duckdb")) as connection:
        connection.executemany(
            "insert into ion.part_inventory_file_attachments (part_inventory_id, file_attachment_id, filename) "
            "values ($1, $1 + 1000000, 'planted.pdf')",
            [[number] for number in (grandparent, parent, child)],
        )
    with open_attachments(published) as attachments:
        for number, expected in (
            (grandparent, {grandparent, parent, child}),
            (parent, {parent, child}),
            (child, {child}),
        ):
            found = attachments.chosen(Choice(units=[f"#{number}"], with_components=True))
            planted = {file.file_attachment_id - 1_000_000 for file in found if file.filename == "planted.pdf"}
            assert planted == expected
            alone = attachments.chosen(Choice(units=[f"#{number}"]))
            assert [file.owners for file in alone if file.filename == "planted.pdf"] == [(f"part_inventory {number}",)]


def test_what_does_not_exist_is_named(settings: Settings) -> None:
    for choice in ({"issues": [999_999]}, {"runs": [999_999]}, {"ids": [999_999]}):
        with pytest.raises(UnknownOwnerError, match="999999"):
            chosen(settings, **choice)


FAULTS: dict[str, tuple[list[dict[str, Any]], int]] = {
    # The faults, and how many requests the file host gets.
    "expired": ([{"kind": "expire_links", "next": 1}], 2),
    "cut": ([{"kind": "truncate", "next": 2}], 3),
    "cut, and the host has no ranges": ([{"kind": "truncate", "next": 1}, {"kind": "ignore_range", "next": 1}], 2),
    "damaged": ([{"kind": "corrupt", "next": 1}], 2),
    "dropped": ([{"kind": "drop", "next": 1}], 2),
    "unavailable": ([{"kind": "status", "status": 503, "next": 3}], 4),
    "throttled": ([{"kind": "status", "status": 429, "retry_after": "0", "next": 1}], 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes(fault: str, settings: Settings, tenant: Tenant) -> None:
    rules, requests = FAULTS[fault]
    tenant.app.faults.set([{**rule, "endpoint": "files"} for rule in rules])
    result = one(settings, 53)
    assert (result.status, result.error) == ("fetched", "")
    assert result.path
    assert result.path.read_bytes() == tenant.content(53)
    assert len(tenant.front.asked) == requests
    # After a cut it asks for what is missing.
    size = len(tenant.content(53))
    ranges = [headers.get("range") for headers in tenant.front.asked]
    assert [value for value in ranges if value] == (
        [f"bytes={there}-" for there in cuts(size, requests - 1)] if "cut" in fault else []
    )
    again = {"cut, and the host has no ranges": size // 2, "damaged": size}
    assert result.received == size + again.get(fault, 0)


def cuts(size: int, count: int) -> list[int]:
    """Bytes that are there after each of some cut answers, which hold half of what they should."""
    found = [0]
    for _ in range(count):
        found.append(found[-1] + (size - found[-1]) // 2)
    return found[1:]


REFUSED = {
    "refused": ({"kind": "status", "status": 403}, "refuses the link to file 53 (403)", 2),
    "gone": ({"kind": "status", "status": 404}, "does not give file 53 (404)", 1),
    "always damaged": ({"kind": "corrupt"}, "do not match the file host's checksum (md5)", 2),
    "led away": ({"kind": "redirect", "location": "ftp://files.example/53"}, "is not an https address", 1),
    "led round": ({"kind": "redirect", "location": "/_files/53/x?X-Amz-Signature=no"}, "more than 3 times", 4),
    "down": ({"kind": "status", "status": 503}, "failed at file 53 with 503", 4),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_fault_that_stays_fails_its_file_alone(fault: str, settings: Settings, tenant: Tenant) -> None:
    rule, error, requests = REFUSED[fault]
    tenant.app.faults.set([{**rule, "endpoint": "files"}])
    report = fetched(settings, 53)
    assert error in report.files[0].error
    assert (report.count("failed"), len(tenant.front.asked)) == (1, requests)
    assert named(settings.data_dir / "files") == {}
    for link in tenant.front.links:
        assert link.partition("X-Amz-Signature=")[2] not in repr(report)
    tenant.app.faults.clear()
    assert one(settings, 53).status == "fetched"


def test_a_file_that_ion_does_not_give_fails_alone(settings: Settings, tenant: Tenant) -> None:
    table = tenant.app.engine.store.tables["FileAttachment"]
    before = {number: list(table.stored(number)) for number in (53, 54)}
    without = list(before[54])
    without[table.node.slots["downloadUrl"]] = None
    try:
        table.remove(53)
        table.put(without)
        report = fetched(settings, 53, 54, 55)
    finally:
        for row in before.values():
            table.put(row)
    assert [result.status for result in report.files] == ["failed", "failed", "fetched"]
    assert "FileAttachment with id" in report.files[0].error
    assert report.files[1].error == "ION gives no link to file 54."


def test_a_file_host_that_is_down_ends_the_fetch(settings: Settings, tenant: Tenant) -> None:
    tenant.app.faults.set([{"kind": "drop", "endpoint": "files"}])
    with pytest.raises(TransportError, match="failed at file"):
        fetched(settings, *range(53, 63))


def test_a_redirect_takes_nothing_along(settings: Settings, tenant: Tenant) -> None:
    asked: list[dict[str, str]] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
        await send({"type": "http.response.body", "body": b"abc"})

    with serving(other) as address:
        host = address.api_url.removeprefix("http://")
        rule = {"kind": "redirect", "location": f"http://{host}/there?X-Amz-Signature=1", "endpoint": "files"}
        tenant.app.faults.set([rule])
        result = one(settings, 53)
    assert result.path
    assert (result.path.read_bytes(), result.checked) == (b"abc", "size")
    (headers,) = asked
    assert headers.pop("user-agent").startswith("ion-pipeline/")
    assert headers == {"host": host, "accept": "*/*", "accept-encoding": "identity"}


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


def test_a_name_is_never_a_path(settings: Settings, tenant: Tenant, tmp_path: Path) -> None:
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


def test_a_changed_file_is_downloaded_again(settings: Settings, tenant: Tenant) -> None:
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


def test_an_id_of_another_tenant_is_not_asked_for(settings: Settings, tenant: Tenant) -> None:
    claim_tenant(settings.data_dir, "another", "api.example")
    with pytest.raises(TenantMismatchError):
        fetched(settings, 53)
    assert tenant.front.asked == []


def test_two_at_once_do_not_share_a_folder(settings: Settings) -> None:
    with Folder(settings.data_dir / "files").locked(0.0), pytest.raises(LockedError, match="fetching attachments"):
        fetched(settings, 53)


def test_a_killed_download_resumes(settings: Settings, tenant: Tenant, tmp_path: Path) -> None:
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


def test_the_file_changes_while_its_download_is_interrupted(settings: Settings, tenant: Tenant) -> None:
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


def test_the_command(settings: Settings, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
