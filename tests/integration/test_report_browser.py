"""The report in a real browser, offline: nothing is asked for, nothing complains, and a keyboard is enough."""

import asyncio
import base64
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.report import write_recall, write_report
from ion_pipeline.settings import load_settings
from tests import chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.binary() is None, reason=f"none of {', '.join(chromium.NAMES)} is on the path"),
]
HOSTILE = "<script>alert(1)</script>"
FOCUS = "document.activeElement"
VISIBLE = "(each => each !== null && each.checkVisibility())"
OUTLINE = f"getComputedStyle({FOCUS}).outlineStyle + getComputedStyle({FOCUS}).outlineWidth"


def written(data_dir: Path, output: Path) -> Path:
    settings = load_settings(tenant=False, environment="embedded", data_dir=data_dir)
    return write_report(settings, output, units=50).path


@pytest.fixture(scope="module")
def report(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(demo_warehouse.data_dir, tmp_path_factory.mktemp("report") / "report.html")


def browse(path: Path, look: Callable[[chromium.Page], Awaitable[None]]) -> None:
    """Look at a page; afterwards the browser must have asked for that page only, and complained of nothing."""

    async def run() -> None:
        async with chromium.opened(path) as page:
            await look(page)
            assert page.problems == []
            assert page.requests == [chromium.address(path)]

    asyncio.run(run())


def test_search_finds_a_serial_by_keyboard_alone(report: Path, demo_warehouse: Any) -> None:
    """Tab to the field, type, Enter: the line has the focus, all above it is expanded, and space collapses it again."""
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        serial, part = connection.execute(
            "select component_serial_number, component_part_number from genealogy.abom_where_used "
            "where is_top_level and component_serial_number is not null and ancestor_serial_number is not null "
            "order by min_depth desc, component_part_inventory_id limit 1"
        ).fetchall()[0]

    async def look(page: chromium.Page) -> None:
        await page.emulate(width=1000)
        sought = f"[...document.querySelectorAll('#units .identity')].find(each => each.textContent === 'S/N {serial}')"
        assert await page.run(f"{VISIBLE}({sought})") is False
        visited = []
        for _ in range(60):
            await page.press("Tab")
            visited.append(await page.run(f"{FOCUS}.id || {FOCUS}.className || {FOCUS}.tagName"))
            assert await page.run(OUTLINE) in {"solid2px", "auto1px"}, f"the focus on {visited[-1]} cannot be seen"
            if visited[-1] == "find":
                break
        assert visited[0] == "skip"
        assert visited[-1] == "find"
        await page.write(serial.lower())
        said = await page.run("document.getElementById('found').textContent")
        assert said.startswith(f"{serial} of {part}: in ")
        assert "Press Enter to open the first" in said
        await page.press("Enter")
        assert await page.run(f"{FOCUS}.parentElement.open") is True
        await page.press("Tab")
        await page.press("Enter")
        assert await page.run(f"{VISIBLE}({sought})") is True
        assert f"S/N {serial}" in await page.run(f"{FOCUS}.textContent")
        assert await page.run(f"{FOCUS}.closest('.hit') !== null")
        await page.run("document.querySelector('#units summary').focus()")
        before = await page.run(f"{FOCUS}.parentElement.open")
        await page.press(" ")
        assert await page.run(f"{FOCUS}.parentElement.open") is not before
        await page.press("Enter")
        assert await page.run(f"{FOCUS}.parentElement.open") is before

    browse(report, look)


def test_the_search_counts_all_units_though_their_trees_are_not_on_the_page(
    demo_warehouse: Any, tmp_path: Path
) -> None:
    """A lot in more units than the page has trees: each unit is listed, and those on the page are links."""
    settings = load_settings(tenant=False, environment="embedded", data_dir=demo_warehouse.data_dir)
    few = write_report(settings, tmp_path / "few.html", units=1).path
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        part, lot = connection.execute(
            "select component_part_number, component_lot_number from genealogy.abom_where_used "
            "where is_top_level and component_lot_number not like 'PLT-%' "
            "group by all order by count(*) desc, component_lot_number limit 1"
        ).fetchall()[0]
        expected = len(connection.execute("from recall(?, ?)", [part, lot]).fetchall())
    assert expected > 1

    async def look(page: chromium.Page) -> None:
        await page.run("document.getElementById('find').focus()")
        await page.write("NO-SUCH-SERIAL")
        assert "Not in the data" in await page.run("document.getElementById('found').textContent")
        assert await page.run("document.querySelectorAll('#matches li').length") == 0
        await page.run("document.getElementById('find').select()")
        await page.write(lot)
        said = await page.run("document.getElementById('found').textContent")
        assert said.startswith(f"{lot} of {part}: in {expected} top-level units.")
        at_once = (
            "(document.getElementById('search').requestSubmit(), document.querySelectorAll('#matches ul > li').length)"
        )
        assert await page.run(at_once) == expected, "the list comes later than the keys a reader may press next"
        assert await page.run(f"{FOCUS}.parentElement.querySelectorAll('li').length") == expected
        await page.run("document.getElementById('find').select()")
        await page.write("0")
        assert await page.run("document.querySelectorAll('#matches > li').length") == 50
        assert "ONLY THE FIRST 50 OF" in await page.run("document.getElementById('found').textContent")
        for button, is_open in (("expand-all", True), ("collapse-all", False)):
            await page.run(f"document.getElementById('{button}').focus()")
            await page.press("Enter")
            assert await page.run(
                f"[...document.querySelectorAll('#units details')].every(each => each.open === {str(is_open).lower()})"
            )

    browse(few, look)


def test_a_recall_page_prints_and_fits_a_phone(demo_warehouse: Any, tmp_path: Path) -> None:
    settings = load_settings(tenant=False, environment="embedded", data_dir=demo_warehouse.data_dir)
    path = write_recall(settings, tmp_path / "recall.html", ["PLT-BAD-POWDER", "PLT-LOOP-1"]).path

    async def look(page: chromium.Page) -> None:
        for dark in (False, True):
            await page.emulate(width=320, dark=dark)
            assert await page.run("document.documentElement.scrollWidth <= window.innerWidth")
            assert await page.run(LEAST_CONTRAST) >= 4.5
        await page.emulate(width=794, print_=True)
        assert await page.run("document.documentElement.scrollWidth <= window.innerWidth")
        assert base64.b64decode((await page.call("Page.printToPDF"))["data"]).startswith(b"%PDF-")

    browse(path, look)


@pytest.mark.parametrize(
    "width", [320, *(pytest.param(width, marks=pytest.mark.exhaustive) for width in (375, 760, 1280))]
)
def test_fits_any_width_in_light_and_dark(report: Path, width: int) -> None:
    """No scrolling sideways, also with all expanded; the text can be read on its background in both schemes."""

    async def look(page: chromium.Page) -> None:
        await page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        for dark in (False, True):
            await page.emulate(width=width, dark=dark)
            assert await page.run("document.documentElement.scrollWidth <= window.innerWidth")
            wide, narrow = [
                await page.run(f"[...document.querySelectorAll('.{name}')].filter({VISIBLE}).length")
                for name in ("wide", "narrow")
            ]
            assert (wide > 0, narrow > 0) == (width > 700, width <= 700)
            assert await page.run("getComputedStyle(document.body).backgroundColor") == (
                "rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)"
            )
            assert await page.run(LEAST_CONTRAST) >= 4.5

    browse(report, look)


def test_yield_is_filtered_by_product_and_by_what_fell(report: Path) -> None:
    async def look(page: chromium.Page) -> None:
        rows = "[...document.querySelectorAll('#yield-products tbody tr')]"
        await page.run("document.getElementById('yield-products').closest('details').open = true")
        assert await page.run(f"{VISIBLE}(document.getElementById('yield-filter'))")
        shown = f"{rows}.filter({VISIBLE})"
        steps = await page.run(f"{rows}.length")
        products = await page.run(f"{shown}.length")
        assert 0 < products < steps
        assert await page.run(f"{shown}.every(row => row.children[1].textContent === 'all steps')")
        choose = (
            "(() => {{ const each = document.getElementById('{}'); each.{} = {}; "
            "each.dispatchEvent(new Event('change')); }})()"
        )
        await page.run(choose.format("yield-part", "value", "'0'"))
        assert await page.run(f"new Set({shown}.map(row => row.children[0].textContent)).size") == 1
        of_product = await page.run(f"{shown}.length")
        assert of_product > 1
        assert await page.run("document.getElementById('yield-shown').textContent") == f"{of_product} of {steps} rows"
        await page.run(choose.format("yield-part", "value", "''"))
        await page.run(choose.format("yield-fell", "checked", "true"))
        assert await page.run(f"{shown}.every(row => row.children[5].textContent.startsWith('-'))")
        fell = await page.run(f"{rows}.filter(row => row.children[5].textContent.startsWith('-')).length")
        assert await page.run(f"{shown}.length") == fell

    browse(report, look)


def test_paper_is_white_and_has_no_controls(report: Path) -> None:
    async def look(page: chromium.Page) -> None:
        await page.emulate(width=794, dark=True, print_=True)
        assert await page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not await page.run(
            f"['nav', '#search', '#expand'].some(name => {VISIBLE}(document.querySelector(name)))"
        )
        assert await page.run(f"[...document.querySelectorAll('h2')].filter({VISIBLE}).length") == 7
        paper = base64.b64decode((await page.call("Page.printToPDF"))["data"])
        assert paper.startswith(b"%PDF-")
        assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page/") >= 2

    browse(report, look)


def test_hostile_names_stay_text(demo_warehouse: Any, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "ion.duckdb"
    published.parent.mkdir(parents=True)
    shutil.copy(demo_warehouse.published, published)
    with duckdb.connect(str(published)) as connection:
        for table, column in (
            ("genealogy.abom_hierarchy", "part_number"), ("genealogy.abom_hierarchy", "part_description"),
            ("genealogy.abom_hierarchy", "serial_number"), ("genealogy.abom_hierarchy", "reference_designator"),
            ("quality.control_chart_points", "field_name"), ("quality.control_chart_points", "serial_number"),
            ("quality.control_chart_points", "unit"), ("quality.defect_pareto", "step_title"),
            ("quality.issues", "issue_title"), ("quality.issues", "assigned_to"),
            ("quality.open_issues_by_disposition", "disposition"),
            ("reference.part_inventories", "serial_number"), ("reference.part_inventories", "part_number"),
            ("reference.part_inventories", "lot_number"), ("reference.part_inventories", "location_path"),
            ("supply.supplier_delivery", "supplier_name"), ("ops.loads", "tenant"), ("ops.freshness", "entity"),
        ):  # fmt: skip
            sql = f"update {table} set {column} = $text || {column}"  # noqa: S608 -- the names above
            connection.execute(sql, {"text": HOSTILE})

    async def look(page: chromium.Page) -> None:
        assert await page.run("document.scripts.length") == 2
        assert HOSTILE in await page.run("document.title")
        for name in ("defects", "control", "issues", "suppliers", "as-built", "freshness"):
            assert HOSTILE in await page.run(f"document.getElementById('{name}').textContent"), name
        await page.run("document.getElementById('find').focus()")
        await page.write(HOSTILE)
        assert HOSTILE in await page.run("document.querySelector('#matches b').textContent")
        await page.press("Enter")
        assert HOSTILE in await page.run(f"{FOCUS}.textContent")
        assert await page.run("document.scripts.length") == 2

    browse(written(tmp_path / "data", tmp_path / "report.html"), look)
    settings = load_settings(tenant=False, environment="embedded", data_dir=tmp_path / "data")
    recalled = write_recall(settings, tmp_path / "recall.html", [f"{HOSTILE}PLT-BAD-POWDER"]).path

    async def look_at_recall(page: chromium.Page) -> None:
        assert await page.run("document.scripts.length") == 0
        assert (await page.run("document.querySelector('main').textContent")).count(HOSTILE) > 10

    browse(recalled, look_at_recall)


def test_the_policy_forbids_what_the_page_does_not_need(report: Path, tmp_path: Path) -> None:
    """Also a check of the checks: a script and a picture smuggled into the page do not run, and are noticed."""
    smuggled = '<script>document.title = "run"</script><img src="https://example.invalid/x.png" alt="">'
    path = tmp_path / "tampered.html"
    path.write_text(report.read_text(encoding="utf-8").replace("</main>", f"</main>{smuggled}"), encoding="utf-8")

    async def run() -> None:
        async with chromium.opened(path) as page:
            assert await page.run("document.title") != "run"
            assert len(page.problems) >= 2
            assert all("Content Security Policy" in problem or "csp" in problem for problem in page.problems)

    asyncio.run(run())


# WCAG's ratio for every text that is shown, on the ground of the page.
LEAST_CONTRAST = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (text) => {
    const [r, g, b] = rgb(text).map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const texts = [...document.querySelectorAll("main *, header *")].filter((each) =>
    [...each.childNodes].some((child) => child.nodeType === 3 && child.data.trim()) && each.tagName !== "title"
    && each.checkVisibility());
  return Math.min(...texts.map((each) => {
    const style = getComputedStyle(each);
    const text = light(each instanceof SVGElement ? style.fill : style.color);
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
  }));
})()
"""
