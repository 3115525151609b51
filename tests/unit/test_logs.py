"""Who sees which lines: a terminal, a pipe, a program that reads JSON, and one that calls the steps itself."""

import io
import sys
from typing import Any

import orjson
import pytest

from ion_pipeline import logs
from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.pipeline.dbt.log import logs_build
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport, NodeResult
from ion_pipeline.settings import load_settings
from ion_pipeline.terminal.frame import err, inform, report_failure, warn
from ion_pipeline.terminal.progress import LogReporter, reporter
from ion_pipeline.terminal.text import PlainConsole

HOSTILE = "parts\x1b[2J\n\u202eforged\ud800"


class Stream(io.StringIO):
    """Standard error, as a terminal or as a pipe."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def standard_error(patch: pytest.MonkeyPatch, *, terminal: bool) -> Stream:
    stream = Stream(terminal=terminal)
    patch.setattr(sys, "stderr", stream)
    return stream


def lines(stream: Stream) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("terminal", "level", "form", "shown"),
    [
        (True, None, "console", {"warned"}),
        (True, "info", "console", {"warned", "load_applied"}),
        (True, None, "json", {"warned", "load_applied"}),
        (False, None, "console", {"warned", "load_applied"}),
        (False, "warning", "console", {"warned"}),
        (False, None, "json", {"warned", "load_applied"}),
        (False, "error", "json", set()),
    ],
)
def test_what_was_done_is_shown_where_nobody_watches_progress_or_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, level: logs.Level | None, form: logs.Format, shown: set[str]
) -> None:
    stream = standard_error(monkeypatch, terminal=terminal)
    logs.configure(level, form)
    logs.log_done("load_applied", rows=3)
    logs.logger().warning("warned")
    assert {event for event in ("warned", "load_applied") if event in stream.getvalue()} == shown
    assert len(stream.getvalue().splitlines()) == len(shown)


def test_a_program_that_does_not_configure_logging_gets_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log_done("load_applied", rows=3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["console", "json"])
def test_text_from_ion_is_plain_and_on_one_line(monkeypatch: pytest.MonkeyPatch, form: logs.Format) -> None:
    stream = standard_error(monkeypatch, terminal=False)
    logs.configure(None, form)
    logs.log_done("entity_read", entity=HOSTILE, seconds=0.12345)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().strip().isprintable()
    assert "0.123" in stream.getvalue()
    assert "0.1234" not in stream.getvalue()


def test_json_is_json_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "ascii", "backslashreplace"))
    logs.configure(None, "json")
    logs.log_done("entity_read", entity="Prüfstände")
    assert orjson.loads(written.getvalue())["entity"] == "Prüfstände"


def test_json_begins_with_when_how_severe_and_what(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = standard_error(monkeypatch, terminal=False)
    logs.configure(None, "json")
    logs.log_done("load_applied", load_id=None, rows=3)
    [line] = lines(stream)
    assert list(line) == ["timestamp", "level", "event", "load_id", "rows"]
    assert (line["level"], line["event"], line["load_id"], line["rows"]) == ("info", "load_applied", None, 3)
    assert line["timestamp"].endswith("Z")


def test_all_that_a_command_says_on_standard_error_is_json_where_logs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = standard_error(monkeypatch, terminal=False)
    logs.configure(None, "json")
    listener = reporter(err)
    assert isinstance(listener, LogReporter)
    with listener.phase("Reading ION"):
        listener.note("the clock is off")
    warn("rows changed again")
    inform(["Adopted field Part.colour"])
    report_failure(IonPipelineError("ION is away.", remedy="Try again."))
    assert [(line["level"], line["event"], line["message"]) for line in lines(stream)] == [
        ("warning", "note", "the clock is off"),
        ("warning", "note", "rows changed again"),
        ("info", "note", "Adopted field Part.colour"),
        ("error", "failed", "ION is away."),
    ]
    assert (lines(stream)[-1]["remedy"], lines(stream)[-1]["exit_code"]) == ("Try again.", 1)


def test_on_a_terminal_there_is_progress_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = standard_error(monkeypatch, terminal=True)
    logs.configure(None, "console")
    listener = reporter(PlainConsole(stderr=True, width=80, color_system=None, force_terminal=True))
    with listener.phase("Loading the warehouse"):
        logs.log_done("load_applied", rows=3)
    assert "✓ Loading the warehouse" in stream.getvalue()
    assert "load_applied" not in stream.getvalue()


def test_a_build_that_fails_is_logged_as_an_error_and_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    came = {"model": "success success error", "test": "pass fail warn skipped", "seed": "success"}
    nodes = tuple(
        NodeResult(f"{kind}.ion_warehouse.{number}", status, "", 0.1)
        for kind, statuses in came.items()
        for number, status in enumerate(statuses.split())
    )
    failure = BuildError("2 nodes failed", report=BuildReport(nodes, 1.5))

    @logs_build
    def build() -> BuildReport:
        raise failure

    stream = standard_error(monkeypatch, terminal=False)
    logs.configure(None, "json")
    with pytest.raises(BuildError) as raised:
        build()
    assert raised.value is failure
    [line] = lines(stream)
    del line["timestamp"]
    assert line == {
        "level": "error",
        "event": "models_built",
        "models": 2,
        "tests": 4,
        "failed": 2,
        "warned": 1,
        "seconds": 1.5,
    }


def test_a_format_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"ION_LOG_FORMAT.*'console' or 'json'"):
        load_settings(log_format="xml")
