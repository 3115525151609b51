"""Text from ION never becomes markup, never controls the terminal, and is never a formula in a CSV file."""

import contextlib
import csv
import io
import json
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import typer
from rich.console import Console
from rich.text import Text

from ion_pipeline import cli
from ion_pipeline.commands import abom
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.plain import cell, visible, visible_json
from ion_pipeline.publish.conformance import Conformance
from ion_pipeline.publish.containment import DataAge, Recall
from ion_pipeline.terminal.progress import BarReporter, PlainReporter
from ion_pipeline.terminal.text import PlainConsole

HOSTILE = {
    "closing markup": "[/red]top",
    "markup": "[bold]x[/bold]",
    "markup link": "[link=https://example.org]x[/link]",
    "emoji code": ":bomb:",
    "escape": "\x1b[31mred\x1b[2J",
    "osc 8 link": "\x1b]8;;https://example.org\x1b\\x\x1b]8;;\x1b\\",
    "c1": "\x9b31mred",
    "backspace": "ab\x08\x08cd",
    "bell": "\x07",
    "carriage return": "one\rtwo",
    "line feed": "one\ntwo",
    "line separator": "one\u2028two",
    "bidi": "\u202eSN-1\u202c",
    "zero width": "SN\u200b-1",
    "surrogate": "a\ud800",
    "tag": "a\U000e0041",
    "long": "x" * 150,
}
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
Run = Callable[..., tuple[int, str]]


def unseen(text: str) -> list[str]:
    return [character for character in text if character != "\n" and unicodedata.category(character) in UNSEEN]


@dataclass
class FakeGenealogy:
    """Every text of every row is the same hostile one."""

    name: str

    def unit(self, _name: str) -> Any:
        @dataclass
        class Unit:
            label: str
            part_inventory_id: int = 1
            status: str | None = None

        return Unit(self.name)

    def _row(self) -> dict[str, Any]:
        sides = {
            f"{field}_{side}": self.name
            for side in ("before", "after")
            for field in ("part_number", "part_revision", "reference_designator", "serial_number", "lot_number")
        }
        texts = ("part_number", "part_revision", "reference_designator", "part_description", "status", "path_text")
        return {
            **dict.fromkeys((*texts, "serial_number", "lot_number", "line"), self.name),
            **{f"ancestor_{field}": self.name for field in ("part_number", "part_revision", "serial_number")},
            **sides,
            "path_text": f"top > {self.name} > leaf",
            "change": "missing",
            "quantity_before": 1.0,
            "quantity_after": -2.0,
            "quantity_extended": -5.0,
            "quantity_planned": 1.0,
            "quantity_installed": 2.0,
            "quantity_required": 1.0,
            "designator_match": "not_recorded",
            "installed_part_numbers": [self.name],
            "ancestor_lot_number": None,
            "ancestor_part_inventory_id": 1,
            "min_depth": 1,
            "path_count": 1,
            "depth": 0,
            "part_inventory_id": 1,
            "mbom_version": 1,
            "level": 1,
            "place_count": 2,
            "component_part_inventory_id": 2,
            "component_serial_number": self.name,
            "is_of_split": True,
            "location_path": self.name,
            "is_top_level": True,
            "is_open_requirement": False,
            "is_made_on_assembly": False,
        }

    def rows(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return [self._row()]

    tree = tree_as_of = compare = compare_as_of = where_used = rows

    def pieces(self, name: str) -> list[Any]:
        return [self.unit(name)]

    def conformance(self, *_: Any) -> Conformance:
        return Conformance(({**self._row(), "status": "conforming"},), 1, 1, 1, 1, is_cut_off=False)

    def recall(self, *_: Any) -> tuple[Recall, list[dict[str, Any]]]:
        rows = (self._row(),)
        recall = Recall(
            part=self.name, name=self.name, pieces=rows, units=rows, outside=rows, unread=(self.name,),
            is_released_only=True,
        )  # fmt: skip
        return recall, list(rows)

    def age(self) -> DataAge:
        return DataAge(self.name, datetime(2026, 1, 1, tzinfo=UTC), is_released_only=False)

    def is_cut_off(self, _units: Any) -> bool:
        return True


COMMANDS = {
    "show": ("show", "u"),
    "compare": ("compare", "u", "v"),
    "compare instants": ("compare", "u", "--as-of", "2026-01-01", "--and", "2026-02-01"),
    "compare plan": ("compare", "u", "--plan"),
    "where-used": ("where-used", "u"),
    "recall": ("recall", "p", "l"),
}


@pytest.fixture(scope="module")
def command_line() -> Any:
    """Made once: typer reads the signatures of all commands."""
    return typer.main.get_command(cli.app)


@pytest.fixture
def run(command_line: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(cli, "app", command_line)

    def run(name: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(abom, "_opened", lambda _context: contextlib.nullcontext(FakeGenealogy(name)))
        monkeypatch.setattr(sys, "argv", ["ion-pipeline", "abom", *arguments])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_every_command_prints_the_text_itself(run: Run, command: str, kind: str) -> None:
    code, out = run(HOSTILE[kind], *COMMANDS[command])
    assert code == 0
    assert unseen(out) == []
    if kind not in ("long", "line feed", "carriage return", "line separator") or command != "show":
        assert visible(HOSTILE[kind])[:60] in out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "surrogate"])
def test_json_holds_the_text_and_shows_nothing_unseen(run: Run, command: str, kind: str) -> None:
    code, out = run(HOSTILE[kind], *COMMANDS[command], "--json")
    assert code == 0
    assert unseen(out) == []
    rows = next(value for value in json.loads(out).values() if isinstance(value, list))
    assert rows[0]["serial_number"] == HOSTILE[kind]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_csv_has_no_text_that_runs_and_numbers_stay_numbers(run: Run, text: str) -> None:
    code, out = run(text, "where-used", "u", "--csv")
    assert code == 0
    row = next(csv.DictReader(io.StringIO(out, newline="")))
    assert row["serial_number"] == f"'{text}"
    assert row["installed_part_numbers"] == f"'{text}"
    assert row["quantity_extended"] == "-5.0"


@pytest.mark.parametrize("value", [-5, -5.5, None, True, "A-1", "SN=1", "", "'x"])
def test_text_that_is_not_a_formula_is_unchanged(value: object) -> None:
    assert cell(value) is value


@pytest.mark.parametrize("text", HOSTILE.values())
def test_visible_text_is_printable_and_stays_so(text: str) -> None:
    shown = visible(text)
    assert unseen(shown) == []
    assert "\n" not in shown
    assert visible(shown) == shown
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["PLT-TOP A", "Gehäuse 5 µm", "部品", "\u00a0", "a\\nb"])
def test_other_text_is_unchanged(text: str) -> None:
    assert visible(text) == text


def on_a_terminal() -> PlainConsole:
    return PlainConsole(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=240)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_is_printed_on_a_console_is_text(kind: str) -> None:
    """The console itself makes any renderable plain."""
    text = HOSTILE[kind]
    console = on_a_terminal()
    console.print(text)
    console.print(Text(text))
    assert unseen(printed(console)) == []
    if "\n" not in text and "\r" not in text:
        assert printed(console).splitlines()[0] == visible(text)


@pytest.mark.parametrize("make", [PlainReporter, BarReporter])
@pytest.mark.parametrize("kind", HOSTILE)
def test_notes_and_bars_are_text(make: Any, kind: str) -> None:
    console = PlainConsole(file=io.StringIO(), force_terminal=False, width=240)
    reporter = make(console)
    with reporter.phase("Reading"):
        reporter.started(HOSTILE[kind], 10)
        reporter.advanced(HOSTILE[kind], 3)
        reporter.note(HOSTILE[kind])
        reporter.finished(HOSTILE[kind])
    assert unseen(printed(console)) == []
    assert visible(HOSTILE[kind], keep="\n") in printed(console)


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_error_that_quotes_ion_is_text(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise IonPipelineError(f"ION says: {HOSTILE[kind]}", remedy=HOSTILE[kind])

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit):
        cli.main()
    captured = capsys.readouterr()
    assert unseen(captured.err) == []
    assert f"error: ION says: {visible(HOSTILE[kind])}" in captured.err


@pytest.mark.parametrize(
    ("status", "match", "code"),
    [
        ("conforming", "match", 0),
        ("conforming_substitute", "not_recorded", 0),
        ("conforming_substitute", "mismatch", 3),
        ("designator_mismatch", "mismatch", 3),
        ("short", "match", 3),
    ],
)
def test_a_part_in_the_wrong_place_is_a_difference_from_the_plan(
    run: Run, monkeypatch: pytest.MonkeyPatch, status: str, match: str, code: int
) -> None:
    row = FakeGenealogy("u").rows()[0] | {"status": status, "designator_match": match}
    found = Conformance((row,), 1, 1, 1, 1, is_cut_off=False)
    monkeypatch.setattr(FakeGenealogy, "conformance", lambda *_: found)
    ended, out = run("u", "compare", "u", "--plan")
    assert ended == code
    assert match.split("_", maxsplit=1)[0] in out
