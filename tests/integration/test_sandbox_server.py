"""The sandbox over a real socket: tokens, headers, statuses, batches, compression, faults, and the process itself."""

import cProfile
import gzip
import json
import os
import pstats
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.sandbox.server import SECRET_VARIABLE, SandboxAddress, SandboxError, SandboxOptions, build_app
from ion_pipeline.sandbox.tokens import TOKEN_PATHS
from ion_pipeline.sandbox.world import World, write_world
from tests.unit.sandbox.small_world import small_world

pytestmark = pytest.mark.slow

IDS = "query Ids($first: Int) { parts(first: $first) { edges { node { id } } } }"


class Caller:
    """A client that keeps one token, and can do without."""

    def __init__(self, address: SandboxAddress) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address.api_url, timeout=10)
        self.token = self.new_token()

    def new_token(self) -> str:
        return str(self.ask_token().json()["access_token"])

    def ask_token(self, path: str = TOKEN_PATHS[0], **changes: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.address.client_id,
            "client_secret": self.address.client_secret,
        }
        return self.http.post(path, data=form | changes)

    def post(self, body: Any, *, authorization: str | None = "", **headers: str) -> httpx.Response:
        given = {} if authorization is None else {"Authorization": authorization or f"Bearer {self.token}"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(
            "/graphql", content=content, headers={"Content-Type": "application/json"} | given | headers
        )

    def ask(self, query: str, **variables: Any) -> httpx.Response:
        return self.post({"query": query, "variables": variables})

    def stats(self) -> Any:
        return self.http.get("/_sandbox/stats").json()


@pytest.fixture(scope="module")
def world_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world")
    world = small_world()
    world.tables["users"] += [{"id": 100 + n, "name": f"user {n}", "email": "é" * 40} for n in range(200)]
    write_world(world, directory)
    return directory


@pytest.fixture(scope="module")
def sandbox(world_dir: Path) -> Iterator[SandboxAddress]:
    with running_sandbox(world=world_dir, forbid=("issues",)) as address:
        yield address


@pytest.fixture
def caller(sandbox: SandboxAddress) -> Iterator[Caller]:
    caller = Caller(sandbox)
    caller.http.post("/_sandbox/stats/reset")
    yield caller
    caller.http.delete("/_sandbox/faults")
    caller.http.close()


def message(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["message"])


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_both_token_paths_and_what_clients_send_along(caller: Caller, path: str) -> None:
    answer = caller.ask_token(path, audience=f"{caller.address.api_url}/graphql", refresh_token="").json()
    assert answer["expires_in"] == 300
    assert caller.post({"query": "{ me { id } }"}, authorization=f"Bearer {answer['access_token']}").status_code == 200


def test_refused_token_requests_have_a_json_body(caller: Caller) -> None:
    wrong = caller.ask_token(client_secret="wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthorized_client")
    assert caller.ask_token(grant_type="password").status_code == 400
    assert caller.http.post(TOKEN_PATHS[0]).json()["error"] == "invalid_request"


def test_a_basic_header_is_as_good_as_form_fields(caller: Caller) -> None:
    address = caller.address
    auth = (address.client_id, address.client_secret)
    answer = caller.http.post(TOKEN_PATHS[0], data={"grant_type": "client_credentials"}, auth=auth)
    assert answer.status_code == 200


def test_header_forms_and_refusals(caller: Caller) -> None:
    body = {"query": "{ me { id } }"}
    for form in ("Bearer {}", "Token {}", "{}"):
        assert caller.post(body, authorization=form.format(caller.token)).json() == {"data": {"me": {"id": 1}}}
    for header, text in (
        (None, "Please provide proper credentials"),
        ("Bearer nonsense", "Unable to parse authentication token"),
        (f"Bearer {caller.token[:-4]}AAAA", "Unable to validate authentication token"),
    ):
        refused = caller.post(body, authorization=header)
        assert (refused.status_code, message(refused)) == (401, text)


def test_graphql_errors_come_with_200_and_malformed_requests_with_400(caller: Caller) -> None:
    invalid = caller.ask("{ parts { nope } }")
    assert (invalid.status_code, list(invalid.json())) == (200, ["errors"])
    for body in (b"{", b"", b"{}", b"[]", b'"x"', b'{"query": null}', b'{"query": "{ me { id } }", "variables": []'):
        refused = caller.post(body)
        assert refused.status_code == 400, body
        assert message(refused)


def test_a_batch_is_answered_in_order(caller: Caller) -> None:
    batch = [
        {"query": "{ part(id: 1) { id } }"},
        {"query": "{ nope }"},
        {"query": "query A { me { id } } query B { x: __typename }", "operationName": "B"},
    ]
    answers = caller.post(batch).json()
    assert answers[0] == {"data": {"part": {"id": 1}}}
    assert "errors" in answers[1]
    assert answers[2] == {"data": {"x": "Query"}}


def test_a_forbidden_entity_is_an_error_inside_a_200(caller: Caller) -> None:
    answer = caller.ask("{ issues { pageInfo { totalCount } } parts { pageInfo { totalCount } } }")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"issues": None, "parts": {"pageInfo": {"totalCount": 4}}}
    assert message(answer) == "User does not have permission to read issues."


def test_large_answers_are_compressed_where_that_is_accepted(caller: Caller) -> None:
    query = {"query": "{ users { edges { node { id name email } } } }"}
    packed = caller.post(query, **{"Accept-Encoding": "gzip"})
    plain = caller.post(query, **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 4
    assert caller.stats()["bytes"] == sum(int(one.headers["content-length"]) for one in (packed, plain))


def test_the_server_tells_its_time(caller: Caller) -> None:
    date = parsedate_to_datetime(caller.ask("{ me { id } }").headers["date"])
    assert abs(date - datetime.now(UTC)) < timedelta(seconds=5)


def test_statistics_count_requests_by_kind(caller: Caller) -> None:
    caller.ask(IDS, first=3)
    caller.ask("{ parts { edges { node { id } } } users(first: 2) { edges { node { id } } } }")
    caller.post(b"{")
    caller.ask_token()
    stats = caller.stats()
    assert (stats["requests"], stats["token_requests"], stats["rows"]) == (3, 1, 9)
    assert stats["by_entity"] == {"parts": {"requests": 2, "rows": 7}, "users": {"requests": 1, "rows": 2}}
    assert stats["by_status"] == {"200": 2, "400": 1}
    assert caller.http.post("/_sandbox/stats/reset").json() == stats
    assert caller.stats()["requests"] == 0


def faults(caller: Caller, *rules: dict[str, Any]) -> None:
    assert caller.http.post("/_sandbox/faults", json=list(rules)).status_code == 200


def test_a_status_with_retry_after_in_both_forms(caller: Caller) -> None:
    rule = {"kind": "status", "status": 429, "next": 1}
    faults(caller, rule | {"retry_after": "3"}, rule | {"retry_after": "date:60"})
    first, second, third = (caller.ask("{ me { id } }") for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert message(first)
    ahead = parsedate_to_datetime(second.headers["retry-after"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < ahead <= timedelta(seconds=60)
    assert third.status_code == 200
    assert [rule["fired"] for rule in caller.http.get("/_sandbox/faults").json()] == [1, 1]


def test_large_pages_time_out_and_small_ones_do_not(caller: Caller) -> None:
    faults(caller, {"kind": "timeout", "timeout_above_first": 2})
    big = caller.ask(IDS, first=3)
    assert (big.status_code, big.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert caller.ask(IDS).status_code == 502
    assert caller.ask(IDS, first=2).status_code == 200


def test_broken_connections_and_bodies(caller: Caller) -> None:
    whole = caller.ask("{ users { edges { node { id name email } } } }").json()
    for kind, error in (("drop", httpx.TransportError), ("truncate", httpx.RemoteProtocolError)):
        faults(caller, {"kind": kind, "next": 1})
        with pytest.raises(error):
            caller.ask("{ users { edges { node { id name email } } } }")
        assert caller.ask("{ users { edges { node { id name email } } } }").json() == whole
    assert caller.stats()["by_status"]["0"] == 1
    faults(caller, {"kind": "not_json", "next": 1})
    page = caller.ask("{ me { id } }")
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_a_slow_answer_trickles_and_is_whole(caller: Caller) -> None:
    faults(caller, {"kind": "slow", "seconds": 0.4, "next": 1})
    pieces, times = [], []
    query = {"query": "{ users { edges { node { id name email } } } }"}
    headers = {"Authorization": caller.token, "Accept-Encoding": "gzip"}
    with caller.http.stream("POST", "/graphql", json=query, headers=headers) as response:
        for piece in response.iter_raw():
            pieces.append(piece)
            times.append(time.monotonic())
    assert len(pieces) > 5
    assert times[-1] - times[0] > 0.25
    assert len(json.loads(gzip.decompress(b"".join(pieces)))["data"]["users"]["edges"]) == 202


def test_latency_delays(caller: Caller) -> None:
    faults(caller, {"kind": "latency", "seconds": 0.3, "entity": "parts"})
    started = time.monotonic()
    assert caller.ask(IDS, first=1).status_code == 200
    assert time.monotonic() - started >= 0.3


def test_partial_data_and_expired_tokens(caller: Caller) -> None:
    faults(caller, {"kind": "partial_error", "operation": "Ids"})
    body = caller.ask(IDS, first=1).json()
    assert body["data"] == {"parts": None}
    assert body["errors"][0]["path"] == ["parts"]
    faults(caller, {"kind": "expire_tokens", "next": 1})
    expired = caller.ask(IDS, first=1)
    assert (expired.status_code, message(expired)) == (401, "Token is expired.")
    caller.token = caller.new_token()
    assert caller.ask(IDS, first=1).json()["data"]


def test_the_token_endpoint_can_fail_too(caller: Caller) -> None:
    faults(caller, {"kind": "status", "status": 503, "endpoint": "token", "next": 1})
    assert caller.ask_token().status_code == 503
    assert caller.ask_token().status_code == 200


def test_bad_fault_rules_are_refused(caller: Caller) -> None:
    refused = caller.http.post("/_sandbox/faults", json=[{"kind": "explode"}])
    assert refused.status_code == 400
    assert "explode" in message(refused)


def test_it_listens_on_loopback_only(sandbox: SandboxAddress) -> None:
    assert sandbox.api_url.startswith("http://127.0.0.1:")


def test_tokens_are_as_short_lived_as_asked_for(world_dir: Path) -> None:
    with running_sandbox(world=world_dir, token_lifetime=1) as address:
        caller = Caller(address)
        assert caller.ask("{ me { id } }").status_code == 200
        time.sleep(1.1)
        expired = caller.ask("{ me { id } }")
        assert (expired.status_code, message(expired)) == (401, "Token is expired.")
        caller.http.close()


def test_a_bad_world_is_told_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "parts.ndjson").write_text('{"id": 1}\n{"id": "two"}\n')
    with pytest.raises(SandboxError, match=r"parts.ndjson, line 2: field \"id\""), running_sandbox(world=tmp_path):
        pass


def test_an_unknown_entity_cannot_be_forbidden(world_dir: Path) -> None:
    with (
        pytest.raises(SandboxError, match="ION has no entity partz"),
        running_sandbox(world=world_dir, forbid=("partz",)),
    ):
        pass


def run_child(world: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ion_pipeline.sandbox", "--world", str(world), *arguments]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {SECRET_VARIABLE: "the-secret"},
    )


def test_the_ready_line_has_no_secret_and_a_port_in_use_is_an_error(world_dir: Path) -> None:
    with run_child(world_dir) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        ready = json.loads(line)
        assert ready.keys() == {"api_url", "auth_url", "client_id"}
        assert b"the-secret" not in line
        port = ready["api_url"].rpartition(":")[2]
        with run_child(world_dir, "--port", port) as second:
            _, complaint = second.communicate(timeout=30)
            assert second.returncode == 1
            assert f"127.0.0.1:{port}".encode() in complaint
            assert b"Traceback" not in complaint
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=30)
        assert (child.returncode, complaint) == (0, b"")


def test_it_ends_when_its_parent_is_killed(world_dir: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from ion_pipeline.sandbox.process import running_sandbox\n"
        "with running_sandbox(world=Path(sys.argv[1])) as address:\n"
        "    print(address.api_url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(world_dir)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        host, _, port = parent.stdout.readline().decode().strip().removeprefix("http://").partition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
            except ConnectionRefusedError:
                return
            time.sleep(0.1)
    pytest.fail("the sandbox outlived its parent")


def test_a_flat_row_takes_few_calls(tmp_path: Path) -> None:
    """Calls instead of seconds, so that no machine decides: at 12 a row a core serves some 20,000 rows a second."""
    fields = {"serialNumber": "SN-0001", "lotNumber": "L-1", "quantity": 1.0, "status": "AVAILABLE", "locationId": 3}
    fields |= {"partId": 1, "cost": 12.5, "quantityAvailable": 1.0, "received": True, "uri": "urn:x", "identity": "SN"}
    write_world(World(tables={"partInventories": [{"id": n} | fields for n in range(1, 20_001)]}), tmp_path)
    engine = build_app(SandboxOptions(world=tmp_path), "secret").engine
    columns = (
        "id _created _updated _etag Cost estimatedArrival locationId lotNumber needDate partId quantity "
        "quantityScrapped serialNumber supplierId unitOfMeasureId uri createdById updatedById entityId status cost "
        "kitted installed quantityKitted quantityIssued quantityInstalled quantityAvailable received trackingType "
        "identity"
    )
    query = f"""query ($last: ID) {{ partInventories(filters: {{id: {{gt: $last}}}}, sort: [ID_ASC], first: 500) {{
        pageInfo {{ totalCount }} edges {{ node {{ {columns} }} }} }} }}"""
    rows = last = 0
    profile = cProfile.Profile()
    profile.enable()
    while True:
        answer = json.dumps(engine.execute({"query": query, "variables": {"last": last}}).body)
        nodes = json.loads(answer)["data"]["partInventories"]["edges"]
        if not nodes:
            break
        rows, last = rows + len(nodes), nodes[-1]["node"]["id"]
    profile.disable()
    assert rows == 20_000
    assert pstats.Stats(profile).total_calls / rows < 12.5
