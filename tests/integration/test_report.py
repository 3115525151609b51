"""`ion-pipeline report` on the demo's published file: its numbers against the truths and the Parquet files."""

import csv
import json
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from ion_pipeline import cli
from ion_pipeline.report import numbers
from tests.html_page import Element, parsed
from tests.oracle.world import read_truths
from tests.search_index import names_of, numbers_of

pytestmark = pytest.mark.slow

MAX_BYTES = 5_000_000
Run = Callable[..., tuple[int, str]]


def run_report(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["ion-pipeline", "--data-dir", str(data_dir), "report", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    captured = capsys.readouterr()
    return code, re.sub(r"\s+", " ", captured.out + captured.err)


@pytest.fixture
def run(
    demo_warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, data_dir: Path | None = None) -> tuple[int, str]:
        return run_report(data_dir or demo_warehouse.data_dir, capsys, monkeypatch, *arguments)

    return run


@pytest.fixture
def report(run: Run, tmp_path: Path) -> Element:
    code, said = run("--output", "report.html")
    assert code == 0, said
    return parsed((tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def truths(demo_warehouse: Any) -> dict[str, Any]:
    return read_truths(demo_warehouse.world)


def parquet(demo_warehouse: Any, name: str) -> list[dict[str, Any]]:
    schema, table = name.split(".")
    return pq.read_table(demo_warehouse.published.parent / "parquet" / schema / f"{table}.parquet").to_pylist()


def rows(table: Element) -> list[list[str]]:
    return [
        [cell.text.strip() for cell in row.children if isinstance(cell, Element)]
        for row in table.one("tbody").all("tr")
    ]


def table_called(report: Element, title: str) -> Element:
    return report.one("div", class_="scroll", **{"aria-label": title}).one("table")


def test_yield_is_that_of_the_steps(report: Element, demo_warehouse: Any) -> None:
    expected: dict[date, list[float]] = defaultdict(lambda: [0, 0])
    for row in parquet(demo_warehouse, "quality.first_pass_yield"):
        if row["quantity_attempted"]:
            expected[row["day_on"].replace(day=1)][0] += row["quantity_passed_first"]
            expected[row["day_on"].replace(day=1)][1] += row["quantity_attempted"]
    shown = rows(table_called(report, "First pass yield by month"))
    assert len(shown) > 3
    assert [
        (month, float(passed.replace(",", "")), float(tried.replace(",", ""))) for month, _, passed, tried in shown
    ] == [
        (f"{month:%Y-%m}", round(passed, 3), round(tried, 3))
        for month, (passed, tried) in sorted(expected.items(), reverse=True)
    ]


def test_yield_by_product_is_that_of_the_newest_month_and_the_one_before(report: Element, demo_warehouse: Any) -> None:
    """Added up from the days of the steps."""
    days = [row for row in parquet(demo_warehouse, "quality.first_pass_yield") if row["quantity_attempted"]]
    month = max(row["day_on"].replace(day=1) for row in days)
    before = (month - timedelta(days=1)).replace(day=1)
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in days:
        if row["day_on"] >= before:
            for step in ("all steps", f"{row['procedure_title']}: {row['step_title']}"):
                found = sums[row["part_number"], step]
                place = 0 if row["day_on"] >= month else 2
                found[place] += row["quantity_passed_first"]
                found[place + 1] += row["quantity_attempted"]
    expected = {key: tuple(found) for key, found in sums.items() if found[1]}
    shown = rows(report.one("div", id="yield-products").one("table"))
    assert len(shown) == len(expected) > 5
    for product, step, now, fraction, was, change, reasons in shown:
        passed, tried, passed_before, tried_before = expected[product, step]
        assert fraction == f"{passed:,g} of {tried:,g}"
        assert now == f"{passed / tried:.1%}".replace("%", " %")
        assert was == (f"{passed_before / tried_before:.1%}".replace("%", " %") if tried_before else numbers.DASH)
        known = f"{100 * (passed / tried - passed_before / tried_before):+.1f}" if tried_before else numbers.DASH
        assert change == known
        lost = sum(float(each.rsplit(" ", 1)[1].replace(",", "")) for each in reasons.split(", ") if each)
        assert lost == pytest.approx(tried - passed)


def test_the_planted_shift_is_the_first_chart(report: Element, truths: dict[str, Any]) -> None:
    shift = truths["process_shift"]
    chart = report.one("section", id="control").all("details", class_="collapsible")[0]
    assert shift["field_name"] in chart.one("summary").text
    title = next(each.attributes["aria-label"] for each in chart.all("div", class_="scroll"))
    found: dict[str, set[int]] = defaultdict(set)
    for number, *_, rules in rows(table_called(chart, title)):
        for family in rules.split("; "):
            name = re.sub(r"[\d, ]+$", "", family).lower().replace(" ", "_")
            for rule in re.findall(r"\d+", family):
                found[f"{name}_{rule}"].add(int(number) - 1)
    first = {rule: min(places) for rule, places in found.items()}
    for family, breaks in shift["first_break_index"].items():
        for rule, index in breaks.items():
            assert first[f"{family}_{rule}"] == index
    drawn = [each.text for each in chart.all("div", class_="wide")[0].all("text", class_="mark")]
    assert drawn
    assert {int(mark) - 1 for mark in drawn} <= set().union(*found.values())


def test_open_issues_by_age(report: Element, demo_warehouse: Any) -> None:
    ages = [row["age_days"] for row in parquet(demo_warehouse, "quality.issues") if row["is_open"]]
    assert ages
    classes = [sum(low <= age <= high for age in ages) for low, high in ((0, 7), (8, 30), (31, 90), (91, 10**6))]
    section = report.one("section", id="issues")
    assert (
        f"0 to 7 days {classes[0]}, 8 to 30 days {classes[1]}, 31 to 90 days {classes[2]}, over 90 days {classes[3]}."
        in section.text
    )
    columns = list(zip(*rows(table_called(report, "Open issues by disposition and age")), strict=True))[1:5]
    assert [sum(0 if cell == "·" else int(cell) for cell in column) for column in columns] == classes
    oldest = [
        int(age.removesuffix(" d").replace(",", "")) for _, age, *_ in rows(table_called(report, "Oldest open issues"))
    ]
    assert oldest == sorted(ages, reverse=True)[:10]


def test_pareto_ends_at_all_defects(report: Element, demo_warehouse: Any) -> None:
    pieces = sum(row["quantity_affected"] or 0 for row in parquet(demo_warehouse, "quality.issue_units"))
    captions = [each.text for each in report.one("section", id="defects").all("figcaption")]
    assert len(captions) > 2
    by_part = next(caption for caption in captions if caption.startswith("Defects by part:"))
    assert by_part.startswith(f"Defects by part: {pieces:g} in all")


def test_suppliers_have_the_planted_delivery_and_quality(
    report: Element, truths: dict[str, Any], demo_warehouse: Any
) -> None:
    truth = truths["supplier_ppm"]
    shown = {row[0]: row for row in rows(table_called(report, "Suppliers: delivery and quality"))}
    lines = [
        row for row in parquet(demo_warehouse, "supply.supplier_delivery") if row["supplier_name"] == truth["supplier"]
    ]
    on_time, judged = (sum(row[name] for row in lines) for name in ("lines_on_time", "lines_judged"))
    received = sum(
        row["quantity_received"]
        for row in parquet(demo_warehouse, "quality.supplier_quality")
        if row["supplier_name"] == truth["supplier"]
    )
    assert received >= truth["quantity_received"]
    assert shown[truth["supplier"]][2:6] == [
        f"{on_time / judged:.1%}".replace("%", " %"),
        f"{on_time} of {judged}",
        f"{truth['quantity_rejected'] / received * 1e6:,.0f}",
        f"{truth['quantity_rejected']:g} of {received:,g}",
    ]


def test_a_contaminated_lot_is_found_in_all_its_units_wherever_their_trees_are(
    run: Run, truths: dict[str, Any], tmp_path: Path
) -> None:
    """With two trees on the page, the index has just the units that were planted, and leads to those on the page."""
    lot = truths["contaminated_lot"]
    on_page, *_ = lot["affected_top_level_unit_ids"]
    code, said = run("-o", "two.html", "--units", "1", "--serial", f"#{on_page}", "--json")
    assert code == 0, said
    assert json.loads(said)["trees"] == 2
    root = parsed((tmp_path / "two.html").read_text(encoding="utf-8"))
    index = json.loads(root.one("script", id="index").text)
    names, tops = names_of(index["names"]), names_of(index["tops"])
    (entry,) = [place for place, name in enumerate(names) if name == lot["lot_number"]]
    units = numbers_of(index["in"][entry])
    assert sorted(tops[unit].split("S/N ")[-1] for unit in units) == lot["affected_top_level_serials"]
    assert [index["roots"].get(str(unit)) for unit in units].count(0) == 1
    assert {unit for _, unit in index["places"][str(entry)]} == {0}
    for number, _ in index["places"][str(entry)]:
        assert lot["lot_number"] in root.one("li", id=f"n{number}").text


def test_a_recall_page_has_the_planted_units_and_its_csv_the_same(
    run: Run, truths: dict[str, Any], tmp_path: Path, demo_warehouse: Any
) -> None:
    lot = truths["contaminated_lot"]
    code, said = run("-o", "out.html", "--recall", lot["lot_number"].lower())
    assert code == 0, said
    serials = lot["affected_top_level_serials"]
    assert f"{len(serials)} top-level units contain {lot['lot_number']} of {lot['part_number']}" in said
    assert "Data as of" in said
    root = parsed((tmp_path / "out.html").read_text(encoding="utf-8"))
    shown = table_called(root, f"Top-level units that contain {lot['lot_number']}")
    assert sorted(row.one("th").one("b").text for row in shown.one("tbody").all("tr")) == [
        f"S/N {serial}" for serial in serials
    ]
    assert not root.all(class_="open") + root.all("script")
    read = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert sorted(row["serial_number"] for row in read) == serials
    assert {row["recalled_number"] for row in read} == {lot["lot_number"]}
    locations = {
        row["part_inventory_id"]: row["location_path"] for row in parquet(demo_warehouse, "reference.part_inventories")
    }
    assert [row["location_path"] for row in read] == [locations[int(row["part_inventory_id"])] for row in read]
    pieces = rows(table_called(root, f"Pieces of {lot['lot_number']}"))
    assert len(pieces) == 1 + len(lot["split_part_inventory_ids"])


def test_a_recall_that_misses_units_says_so_first(run: Run, tmp_path: Path) -> None:
    """PLT-LOOP-1 is in a ring of installations; what is above the ring is in no tree with it."""
    code, said = run("--recall", "PLT-LOOP-1", "--recall", "PLT-BAD-POWDER", "-o", "ring.html")
    assert code == 0, said
    assert "! INCOMPLETE. PLT-LOOP-1: 3 more units" in said
    root = parsed((tmp_path / "ring.html").read_text(encoding="utf-8"))
    assert "INCOMPLETE" in root.one("header").one(class_="open").text
    outside = rows(table_called(root, "Units above PLT-LOOP-1 that are in no tree with it"))
    assert any("PLT-ABOVE-LOOP" in row[0] for row in outside)


def test_a_recall_of_nothing_is_refused(run: Run, tmp_path: Path) -> None:
    code, said = run("--recall", "NO-SUCH-LOT")
    assert (code, "No lot or serial number NO-SUCH-LOT" in said) == (1, True)
    code, said = run("--recall", "PLT-BAD-POWDER", "--serial", "PLT-T0")
    assert (code, "--serial does not apply" in said) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_trees_have_every_line_once(report: Element, demo_warehouse: Any) -> None:
    lines: dict[int, int] = defaultdict(int)
    for row in parquet(demo_warehouse, "genealogy.abom_hierarchy"):
        lines[row["root_part_inventory_id"]] += 1
    top = [row for row in parquet(demo_warehouse, "production.serialized_units") if row["is_top_level"]]
    expected = sorted(lines[row["part_inventory_id"]] for row in top if lines[row["part_inventory_id"]] > 1)
    assert expected
    assert sorted(1 + len(unit.all("li")) for unit in report.all("details", class_="unit")) == expected
    assert f"{len(expected)} newest of {len(expected)} top-level units" in report.one("section", id="as-built").text


def test_freshness_is_that_of_the_last_load(report: Element, demo_warehouse: Any) -> None:
    shown = {row[0]: row[1] for row in rows(table_called(report, "Entities: rows and newest change"))}
    expected = {
        row["entity"]: f"{row['row_count']:,}"
        for row in parquet(demo_warehouse, "ops.freshness")
        if row["last_read_at"] is not None
    }
    assert shown == expected
    (load,) = [row for row in parquet(demo_warehouse, "ops.loads") if row["is_latest"]]
    assert load["load_id"] in report.one("section", id="freshness").text


def test_size_is_bounded_and_said(run: Run, tmp_path: Path) -> None:
    code, said = run("-o", "small.html", "--units", "2")
    assert code == 0
    assert "2 trees" in said
    small = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert re.search(r"the 2 newest of \d+ top-level units", small)
    run("-o", "large.html")
    assert len(small) < (tmp_path / "large.html").stat().st_size < MAX_BYTES


def test_writes_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, said = run("-o", "file/report.html")
    assert (code, "could not be written" in said) == (1, True)
    code, said = run("-o", "report.html", "--serial", "NO-SUCH")
    assert (code, "No serial number, lot number or id NO-SUCH" in said) == (1, True)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_without_a_published_file(run: Run, tmp_path: Path) -> None:
    code, said = run(data_dir=tmp_path / "none")
    assert code == 1
    assert "Nothing has been published" in said


def test_an_empty_and_an_older_publish(run: Run, demo_warehouse: Any, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "ion.duckdb"
    published.parent.mkdir(parents=True)
    shutil.copy(demo_warehouse.published, published)
    with duckdb.connect(str(published)) as connection:
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall():
            connection.execute(f'truncate "{schema}"."{name}"')
    code, said = run("-o", "empty.html", data_dir=tmp_path / "data")
    assert code == 0, said
    root = parsed((tmp_path / "empty.html").read_text(encoding="utf-8"))
    assert len(root.all(class_="no-data")) == len(root.all("section")) == 7
    with duckdb.connect(str(published)) as connection:
        connection.execute("drop table quality.defect_pareto")
    code, said = run("-o", "older.html", data_dir=tmp_path / "data")
    assert code == 1
    assert "published without quality.defect_pareto" in said
