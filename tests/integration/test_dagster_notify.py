"""A permanently failed run is reported to a URL and by mail, on real servers, without a secret in the message."""

import http.server
import logging
import socketserver
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import orjson
import pytest

from ion_pipeline.defs.notify import NoticeError, failure_sensor, notify, will_be_retried
from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.settings import Settings, load_settings

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Chat(http.server.BaseHTTPRequestHandler):
    """Takes messages; refuses those to /gone."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.got.append(orjson.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(404 if self.path == "/gone" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Mailbox(socketserver.StreamRequestHandler):
    """As much SMTP as a client needs to be rid of a mail."""

    got: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 Start mail input\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.decode())
                self.got.append("".join(lines))
            elif line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def chat() -> Iterator[int]:
    Chat.got = []
    with serving(http.server.HTTPServer(("127.0.0.1", 0), Chat)) as port:
        yield port


@pytest.fixture
def mailbox() -> Iterator[int]:
    Mailbox.got = []
    with serving(socketserver.TCPServer(("127.0.0.1", 0), Mailbox)) as port:
        yield port


def settings_to(chat: int, mailbox: int, path: str = "/services/T0/secret-part") -> Settings:
    return load_settings(
        tenant=False,
        notify_url=f"http://127.0.0.1:{chat}{path}",
        notify_email=("quality@example.com", "data@example.com"),
        smtp_url=f"smtp://127.0.0.1:{mailbox}",
    )


def test_chat_and_mail_get_what_failed_and_why(chat: int, mailbox: int) -> None:
    notify(settings_to(chat, mailbox), "refresh", "run-1", "ION refuses the key.\n" + "x" * 5000)
    [message] = Chat.got
    assert (message["job"], message["run_id"], message["environment"]) == ("refresh", "run-1", "embedded")
    assert "ION refuses the key." in message["text"]
    assert len(message["text"]) < 2200
    [mail] = Mailbox.got
    assert "Subject: ion-pipeline: refresh failed (embedded)" in mail
    assert "To: quality@example.com, data@example.com" in mail
    assert "ION refuses the key." in mail
    assert "secret-part" not in mail + message["text"]


@pytest.mark.parametrize(("path", "problem"), [("/gone", "answers 404"), (None, "cannot be reached")])
def test_a_chat_that_refuses_is_an_error_that_does_not_name_its_address(
    chat: int, mailbox: int, path: str | None, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = settings_to(chat, mailbox, path) if path else settings_to(1, mailbox)
    with pytest.raises(NoticeError, match=problem) as raised:
        notify(settings, "refresh", "run-1", "why")
    everything = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "ION_NOTIFY_URL" in everything
    assert [part for part in ("gone", "secret-part", "/services") if part in everything] == []
    assert raised.value.__context__ is None, "what httpx says of it names the address"


def test_a_message_that_arrives_leaves_its_address_in_no_log(
    chat: int, mailbox: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notify(settings_to(chat, mailbox), "refresh", "run-1", "why")
    assert len(Chat.got) == 1
    assert "secret-part" not in caplog.text


HOSTILE = (
    "ION says: \x1b[2J<!channel> <https://example.org|here> [here](https://example.org) **now** @all ```\u202e\nend"
)


def test_words_of_ion_are_text_in_a_chat_and_in_a_mail(chat: int, mailbox: int) -> None:
    notify(settings_to(chat, mailbox), "refresh", "run-1", HOSTILE)
    heading, run, *block = Chat.got[0]["text"].split("\n")
    assert (heading, run) == ("ion-pipeline: refresh failed (embedded)", "Run run-1")
    assert block == [
        "```",
        r"ION says: \x1b[2J&lt;!channel&gt; &lt;https://example.org|here&gt; [here](https://example.org) **now** @all "
        r"'''\u202e",
        "end",
        "```",
    ]
    [mail] = Mailbox.got
    assert "\x1b" not in mail
    assert "<!channel>" in mail


def test_an_error_is_plain_text_in_dagsters_run_too(chat: int, mailbox: int) -> None:
    error = IonPipelineError(f"what came: {HOSTILE}", remedy=f"not this: {HOSTILE}")
    for text in (str(error), error.message, error.remedy, repr(error), "".join(traceback.format_exception(error))):
        assert [one for one in text.rstrip("\n") if one in "\x1b\u202e\n"] == []


def test_a_chat_that_refuses_keeps_no_mail_back(chat: int, mailbox: int) -> None:
    with pytest.raises(NoticeError, match="answers 404"):
        notify(settings_to(chat, mailbox, "/gone"), "refresh", "run-1", "why")
    assert len(Mailbox.got) == 1


def test_a_message_goes_the_way_that_the_environment_names(
    chat: int, mailbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The proxy is the chat itself: it takes what is for a host that is nowhere.
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{chat}")
    monkeypatch.setenv("NO_PROXY", "[::1]:443, fe80::/10,.example.net")
    settings = load_settings(tenant=False, notify_url="http://chat.example.org/services/secret-part")
    notify(settings, "refresh", "run-1", "through the proxy")
    assert "through the proxy" in Chat.got[0]["text"]
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    notify(settings_to(chat, mailbox), "refresh", "run-2", "not through it")
    assert len(Chat.got) == 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HTTP_PROXY", "carrier-pigeon://coop:1", "HTTP_PROXY names a proxy of the unknown kind"),
        ("HTTP_PROXY", "socks5://127.0.0.1:1", "HTTP_PROXY names a SOCKS proxy"),
        ("SSL_CERT_FILE", "/nowhere/bundle.pem", "SSL_CERT_FILE: /nowhere/bundle.pem cannot be read"),
    ],
)
def test_a_way_that_cannot_be_gone_is_named_without_the_address(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    settings = load_settings(tenant=False, notify_url="http://chat.example.org/services/secret-part")
    with pytest.raises(SettingsError, match=message) as failure:
        notify(settings, "refresh", "run-1", "why")
    assert "secret-part" not in str(failure.value)


def test_a_failed_run_is_told_with_the_error_of_its_step(chat: int, mailbox: int) -> None:
    @dg.op
    def extract() -> None:
        raise RuntimeError("no route to ION")

    @dg.job
    def refresh() -> None:
        extract()

    sensor = failure_sensor(lambda: settings_to(chat, mailbox), is_on=True)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        result = refresh.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            "run_failed",
            dagster_event=result.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        ).for_run_failure()
        sensor(context)
    assert "no route to ION" in Chat.got[0]["text"]


def test_a_run_that_is_tried_again_is_no_news() -> None:
    assert will_be_retried({"dagster/will_retry": "true"})
    assert not will_be_retried({"dagster/will_retry": "false"})
    assert not will_be_retried({})
