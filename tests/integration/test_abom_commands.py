"""`ion-pipeline abom` on the demo's published file, as a person and as a program calls it."""

import csv
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline import cli
from ion_pipeline.commands import abom
from ion_pipeline.terminal.text import PlainConsole
from tests.oracle.world import read_truths

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(
    demo_warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, data_dir: Path | None = None) -> Ran:
        monkeypatch.setattr(
            sys, "argv", ["ion-pipeline", "--data-dir", str(data_dir or demo_warehouse.data_dir), "abom", *arguments]
        )
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("arguments", "columns"),
    [
        (["recall", "PLT-BAD-POWDER"], ["serial_number", "status", "quantity_extended", "path_text"]),
        (["compare", "PLT-T0", "--plan"], ["status", "quantity_planned", "installed_part_numbers", "path_text"]),
    ],
)
def test_eighty_columns_hold_the_whole_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], columns: list[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "--csv").out)))
    assert len(rows) > 3
    monkeypatch.setattr(abom, "out", PlainConsole(soft_wrap=True, width=80))
    table = run(*arguments).out.split("\n\n")[-2].splitlines()
    assert len(table) > len(rows)
    assert max(map(len, table)) == 80
    for row in rows:
        for column in columns:
            shown = f"{float(row[column]):.9g}" if column.startswith("quantity") else row[column]
            assert flat(shown) in flat("\n".join(table))


def test_show_draws_every_line_once_in_order(run: Run, demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["known_tree"]
    shown = run("show", "PLT-T0")
    assert (shown.code, shown.err) == (0, "")
    *lines, age = shown.out.splitlines()
    assert age.startswith("Data as of ")
    assert len(lines) == len(truth["rows"])
    assert flat(lines[0]).startswith("PLT-TOP A S/N PLT-T0")
    assert "\x1b" not in shown.out
    depths = [len(re.match(r"[│├└─ ]*", line)[0]) // 4 for line in lines]  # type: ignore[index]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        rows = connection.execute("from abom_explode(?)", [truth["root_part_inventory_id"]])
        at = [column[0] for column in rows.description or ()].index("depth")
        assert depths == [row[at] for row in rows.fetchall()]


def test_show_marks_what_is_open_and_what_is_a_substitute(run: Run) -> None:
    shown = flat(run("show", "PLT-CONF-1").out)
    assert "PLT-SUB A open: 1 needed" in shown
    assert "PLT-BOLT-ALT A lot PLT-BOLTS-ALT x 6 substitute" in shown
    assert shown.count("substitute") == 1
    assert "PLT-POWDER" not in run("show", "PLT-CONF-1", "--levels", "1").out


@pytest.mark.parametrize("name", ["PLT-T0", "PLT-TOP:PLT-T0", "#{id}", "{id}"])
def test_a_unit_has_several_names(run: Run, demo_warehouse: Any, name: str) -> None:
    unit = read_truths(demo_warehouse.world)["known_tree"]["root_part_inventory_id"]
    shown = run("show", name.format(id=unit), "--json")
    assert shown.code == 0
    document = json.loads(shown.out)
    assert document["unit"]["part_inventory_id"] == unit
    assert document["lines"][0]["part_inventory_id"] == unit


def test_compare_draws_the_planted_differences(run: Run, demo_warehouse: Any) -> None:
    shown = run("compare", "PLT-T0", "PLT-T7")
    assert shown.code == 0
    text = flat(shown.out)
    assert "- PLT-TOP A S/N PLT-T0 + PLT-TOP A S/N PLT-T7" in text
    assert "~ PLT-BOLT substitute PLT-BOLT A x 8 (PLT-BOLTS-1) -> PLT-BOLT-ALT A x 8 (PLT-BOLTS-ALT)" in text
    assert "PLT-SUB @A │ └── ~ PLT-BOLT quantity changed PLT-BOLT A x 4" in text
    assert "6 lines differ: 1 installed, 2 missing, 1 other revision, 1 quantity changed, 1 substitute." in text
    truths = read_truths(demo_warehouse.world)["sisters"]
    document = json.loads(run("compare", "PLT-T0", "PLT-T7", "--json").out)
    assert len(document["changes"]) == len(truths["differences"])
    rows = list(csv.DictReader(io.StringIO(run("compare", "PLT-T0", "PLT-T7", "--csv").out)))
    assert [row["change"] for row in rows] == [change["change"] for change in document["changes"]]


def test_compare_says_that_nothing_differs_and_can_say_it_by_its_exit_code(run: Run) -> None:
    same = run("compare", "PLT-T2", "PLT-T3", "--exit-code")
    assert same.code == 0
    assert "No difference" in same.out
    assert run("compare", "PLT-T0", "PLT-T7", "--exit-code").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("PLT-T7", "--plan"),
        ("--as-of", "2026-01-01"),
        ("PLT-T7", "--and", "2026-01-01"),
        ("--as-of", "soon", "--and", "2026-01-01"),
    ],
)
def test_compare_needs_one_thing_to_compare_with(run: Run, arguments: tuple[str, ...]) -> None:
    refused = run("compare", "PLT-T0", *arguments)
    assert refused.code == 2
    assert refused.out == ""


def test_where_used_lists_the_planted_use(run: Run, demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["where_used"]
    used = json.loads(run("where-used", "PLT-GOOD-POWDER", "--json").out)["used_in"]
    (row,) = [row for row in used if row["ancestor_part_inventory_id"] == truth["ancestor_part_inventory_id"]]
    assert (row["min_depth"], row["path_count"], row["is_top_level"]) == (3, 2, True)
    shown = flat(run("where-used", "PLT-GOOD-POWDER").out)
    assert "3 PLT-TOP A S/N PLT-T0 2 0.3 top level" in shown
    assert "is not installed in any unit" in run("where-used", "PLT-T0").out


def test_where_used_includes_what_was_split_off(run: Run, demo_warehouse: Any) -> None:
    """With the splits, the top-level units are those of the recall; without, those of the pieces themselves."""
    truth = read_truths(demo_warehouse.world)["contaminated_lot"]
    piece = f"#{truth['part_inventory_id']}"
    everything, alone = (
        json.loads(run("where-used", piece, *more, "--json").out)["used_in"] for more in ((), ("--no-splits",))
    )
    tops = {row["ancestor_serial_number"] for row in everything if row["is_top_level"]}
    assert tops == set(truth["affected_top_level_serials"])
    assert {row["component_part_inventory_id"] for row in alone} == {truth["part_inventory_id"]}
    assert {row["component_part_inventory_id"] for row in everything if row["is_of_split"]} <= set(
        truth["split_part_inventory_ids"]
    )
    assert len(everything) > len(alone) > 0


def test_recall_lists_the_planted_units(run: Run, demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["contaminated_lot"]
    shown = run("recall", truth["part_number"], truth["lot_number"])
    assert shown.code == 0
    assert f"{len(truth['affected_top_level_serials'])} top-level units" in shown.out
    rows = list(csv.DictReader(io.StringIO(run("recall", truth["part_number"], truth["lot_number"], "--csv").out)))
    assert sorted(row["serial_number"] for row in rows) == truth["affected_top_level_serials"]
    alone = run("recall", truth["lot_number"].lower())
    assert (alone.out, alone.err) == (shown.out, shown.err)
    assert "Data as of" in shown.out


def test_a_recall_that_misses_units_says_so_first_and_lists_them(run: Run) -> None:
    short = run("recall", "PLT-LOOP-1")
    assert short.err.startswith("! INCOMPLETE. 3 more units")
    assert "PLT-ABOVE-LOOP" in short.out
    document = json.loads(run("recall", "PLT-LOOP-1", "--json").out)
    assert {unit["serial_number"] for unit in document["in_no_tree"]} >= {"PLT-ABOVE-LOOP", "PLT-LOOP-3"}
    assert len(document["warnings"]) == 1


def test_a_name_of_several_units_lists_them(run: Run, demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["contaminated_lot"]
    refused = run("show", "plt-bad-powder")
    assert (refused.code, refused.out) == (2, "")
    for unit in (truth["part_inventory_id"], *truth["split_part_inventory_ids"]):
        assert re.search(rf"#{unit}  PLT-POWDER A lot PLT-BAD-POWDER  [A-Z_]+  \S", refused.err)
        assert run("where-used", f"#{unit}").code == 0


def test_an_unknown_name_says_where_it_looked_and_what_is_near(run: Run, demo_warehouse: Any) -> None:
    unknown = run("show", "PLT-T00")
    assert (unknown.code, unknown.out) == (1, "")
    assert str(demo_warehouse.published) in flat(unknown.err)
    assert "PLT-TOP:PLT-T0" in unknown.err
    assert "PLT-POWDER:PLT-BAD-POWDER" in run("recall", "PLT-POWDER", "PLT-BAD-POWER").err
    assert run("recall", "PLT-POWDER", "PLT-BAD-POWER").code == 1


def test_without_a_published_file_it_says_what_to_do(run: Run, tmp_path: Path) -> None:
    refused = run("show", "PLT-T0", data_dir=tmp_path / "nothing")
    assert (refused.code, refused.out) == (1, "")
    assert "ion-pipeline refresh" in refused.err
    assert not (tmp_path / "nothing").exists()


def test_help_teaches_by_example(run: Run) -> None:
    for command in ("show", "compare", "where-used", "recall"):
        helped = run(command, "--help")
        assert helped.code == 0
        assert re.search(rf"Examples:\n +ion-pipeline abom {command} PLT", helped.out)


def has(demo_warehouse: Any, name: str) -> bool:
    found = """
        select count(*)
        from (select function_name as name from duckdb_functions() union all select table_name from duckdb_tables())
        where name = ?
    """
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        return bool(connection.execute(found, [name]).fetchall()[0][0])


def test_as_of_now_is_what_is_shown_now(run: Run, demo_warehouse: Any) -> None:
    """The tree now, none before the first load, no change in between."""
    now = ("2100-01-01", "2100-01-02")
    columns = ("path_key", "part_inventory_id", "quantity_extended", "is_open_requirement")
    then, today = (
        [[line[column] for column in columns] for line in json.loads(run("show", "PLT-T0", *at, "--json").out)["lines"]]
        for at in (("--as-of", now[0]), ())
    )
    assert then == today
    assert run("show", "PLT-T0", "--as-of", "2000-01-01").code == 1
    assert "No difference" in run("compare", "PLT-T0", "--as-of", now[0], "--and", now[1]).out


def test_plan_shows_every_line_of_the_unit_with_its_status(run: Run, demo_warehouse: Any) -> None:
    compared = run("compare", "PLT-CONF-1", "--plan", "--levels", "1", "--json")
    if not has(demo_warehouse, "abom_conformance"):
        assert compared.code == 1
        assert "abom_conformance" in compared.err
        return
    truth = read_truths(demo_warehouse.world)["conformance"]
    found = [line["status"] for line in json.loads(compared.out)["lines"]]
    assert sorted(found) == sorted(line["status"] for line in truth["lines"])
    shown = run("compare", "PLT-CONF-1", "--plan")
    assert shown.code == 3
    assert "wrong_part" in shown.out
    assert "DOES NOT CONFORM" in shown.out
    assert "Data as of" in shown.out


def test_a_part_that_a_sub_unit_lacks_is_in_the_verdict(run: Run, demo_warehouse: Any, tmp_path: Path) -> None:
    """PLT-T0 conforms at every level; in a copy of the file, the unit two levels down lacks a part."""
    whole = run("compare", "PLT-T0", "--plan")
    assert (whole.code, whole.err) == (0, "")
    assert re.search(r"CONFORMS: \d+ lines in 4 units\.\n", whole.out)
    own = run("compare", "PLT-T0", "--plan", "--levels", "1")
    assert own.code == 0
    assert re.search(r"CONFORMS: \d+ lines in 1 unit\. NOT COMPARED: 3 units", own.out)
    published = tmp_path / "data" / "published" / "ion.duckdb"
    published.parent.mkdir(parents=True)
    shutil.copy(demo_warehouse.published, published)
    with duckdb.connect(str(published)) as connection:
        cell, path = connection.execute(
            "select part_inventory_id, path_text from abom_explode((select part_inventory_id "
            "from reference.part_inventories where serial_number = 'PLT-T0')) where part_number = 'PLT-CELL' limit 1"
        ).fetchall()[0]
        connection.execute(
            "update genealogy.abom_conformance set status = 'missing', quantity_installed = 0 "
            "where part_inventory_id = ?",
            [cell],
        )
    assert path.count(" > ") == 2
    lacking = run("compare", "PLT-T0", "--plan", data_dir=tmp_path / "data")
    assert lacking.code == 3
    assert "in 1 unit: 1 missing." in lacking.out
    assert re.search(rf"missing .*{re.escape(path)} \(and 1 more\) *\n", lacking.out)
    document = json.loads(run("compare", "PLT-T0", "--plan", "--json", data_dir=tmp_path / "data").out)
    assert (document["verdict"], document["findings"], document["plan_version"]) == (
        "not_conforming",
        {"missing": 1},
        1,
    )
    assert run("compare", "PLT-T0", "--plan", "--levels", "2", data_dir=tmp_path / "data").code == 0


def test_the_verdict_of_a_unit_in_a_ring_says_what_is_not_compared(run: Run) -> None:
    """PLT-ABOVE-LOOP holds a ring; two units are compared as far as their trees go, and that is said."""
    ring = run("compare", "PLT-SELF", "--plan")
    assert ring.code in {3, 4}
    assert "Installations in a cycle, or deeper than trees go, are not compared." in ring.out
    assert run("compare", "PLT-SELF", "PLT-T0").err.startswith("! INCOMPLETE.")
    assert run("compare", "PLT-T0", "PLT-T7", "--levels", "1").code == 2
