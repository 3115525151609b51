"""The complete page: it is valid and complete, loads nothing, and no text in it becomes markup."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ion_pipeline.report import numbers
from ion_pipeline.report.control import rule_meaning
from ion_pipeline.report.page import page
from tests.examples import examples
from tests.html_page import Element, parsed
from tests.unit.report.sample import EMPTY, full_report, line

SECTIONS = ["yield", "defects", "control", "issues", "suppliers", "as-built", "freshness"]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def plain() -> Element:
    return parsed(page(full_report("PLT-1")))


def shape(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Elements and the names of their attributes, without any text."""
    return [(each.name, tuple(each.attributes)) for each in root]


@settings(max_examples=examples(40))
@given(st.text(min_size=1).filter(lambda text: text.strip() and rule_meaning(text) is None))
@example(HOSTILE)
@example("</script><script>alert(1)</script>")
@example("<!--<script>")
@example("' onmouseover=alert(1) x='")
@example('"><img src=x onerror=alert(1)>')
@example("a\u2028b\u2029c")
def test_no_text_becomes_markup(text: str) -> None:
    """The page has the same elements for any names. The names of known rules are left out: their meaning is shown."""
    assert shape(parsed(page(full_report(text)))) == shape(parsed(page(full_report("PLT-1"))))


def test_hostile_text_is_shown_as_it_is() -> None:
    root = parsed(page(full_report(HOSTILE)))
    for section in root.all("section"):
        assert HOSTILE in section.text or section.attributes["id"] == "yield", section.attributes["id"]
    for each in root.all(class_="part"):
        assert each.text == f"{HOSTILE} {HOSTILE}"
    written = page(full_report(HOSTILE))
    assert "<script>alert" not in written
    index = json.loads(root.one("script", id="index").text)
    assert index["names"][0][1:] == HOSTILE


def test_yield_by_product_says_what_fell_and_what_is_left_out(plain: Element) -> None:
    rows = plain.one("div", id="yield-products").one("tbody").all("tr")
    assert [[cell.text for cell in row.children if isinstance(cell, Element)] for row in rows] == [
        ["PLT-1", "all steps", "99.0 %", "99 of 100", "75.0 %", "+24.0", "failed 1"],
        ["PLT-1", "PLT-1", "50.0 %", "1 of 2", numbers.DASH, numbers.DASH, "redline 1"],
        ["PLT-1 too", "all steps", "0.0 %", "0 of 4", "25.0 %", "-25.0", ""],
    ]
    assert ["data-fell" in row.attributes for row in rows] == [False, False, True]
    assert "NOT ALL IS SHOWN: 1 row that lost less" in plain.one("section", id="yield").text


def test_the_delay_of_the_publish_before_is_said(plain: Element) -> None:
    section = plain.one("section", id="freshness")
    assert (
        "Of 100 changes published at 2026-03-01 08:30, half took at most 30 s from ION to here, 99 of 100 at most "
        "3 min, the longest 2.5 h." in section.text
    )
    rows = section.one("tbody").all("tr")
    assert [[cell.text for cell in row.children if isinstance(cell, Element)][3:6] for row in rows] == [
        ["1.5 h", "30 s", "3 min"]
    ]


def test_the_page_loads_nothing(plain: Element) -> None:
    """There is no address, file, handler or inline style, and the policy forbids them."""
    names = {name for each in plain for name in each.attributes}
    assert not names & {"src", "srcset", "style", "action", "data", "background"}
    assert not [name for name in names if name.startswith("on")]
    assert all(each.attributes["href"].startswith("#") for each in plain if "href" in each.attributes)
    assert not plain.all("link") + plain.all("iframe") + plain.all("img") + plain.all("object")
    written = plain.one("style").text + plain.all("script")[-1].text
    assert not re.search(r"https?:|//\w+\.|@import|url\(|innerHTML|fetch\(|eval\(", written)


def test_policy_allows_the_one_style_and_the_one_script(plain: Element) -> None:
    policy = plain.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def digest(element: Element) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()}'"

    (script,) = [each for each in plain.all("script") if each.attributes.get("type") != "application/json"]
    assert rules == {
        "default-src": "'none'",
        "style-src": digest(plain.one("style")),
        "script-src": digest(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    head = plain.one("head").children
    kinds = [each.name for each in head if isinstance(each, Element)]
    assert kinds.index("style") > 1, "the policy comes before what it is about"


def test_everything_is_labelled_and_can_be_reached(plain: Element) -> None:
    ids = [each.attributes["id"] for each in plain if "id" in each.attributes]
    assert len(ids) == len(set(ids)) > 10
    for each in plain:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert each.attributes.get(name, ids[0]) in ids
        if each.name == "a":
            assert each.attributes["href"][1:] in ids
            assert each.text.strip()
        if each.name == "svg":
            assert "aria-label" in each.attributes or each.attributes.get("aria-hidden") == "true"
        if each.attributes.get("tabindex") == "0":
            assert each.attributes["role"] == "region"
            assert each.attributes["aria-label"]
    assert plain.one("html").attributes["lang"] == "en"
    assert [each.attributes["for"] for each in plain.all("label")] == ["yield-part", "yield-fell", "find"]
    assert plain.one(id="found").attributes["role"] == "status"
    for table in plain.all("table"):
        assert all("scope" in cell.attributes for cell in table.all("th"))


def test_has_every_section_in_the_navigation(plain: Element) -> None:
    assert [each.attributes["id"] for each in plain.all("section")] == SECTIONS
    assert [each.attributes["href"] for each in plain.one("nav").all("a")] == [f"#{name}" for name in SECTIONS]
    assert not plain.all(class_="no-data") or "Nothing is installed" in plain.one(class_="no-data").text


def test_ratios_are_shown_with_numerator_and_denominator(plain: Element) -> None:
    text = plain.one("main").text
    for shown in (
        "99.0 %99 of 100 in 2026-02",
        "75.0 %3 of 4",
        "9,250 ppm37 of 4,000",
        "98.1 %, 102 of 104",
        "9,25037 of 4,000",
    ):
        assert shown in text
    assert "6 open issues by age: 0 to 7 days 1, 8 to 30 days 0, 31 to 90 days 2, over 90 days 3." in text
    assert "A rule is broken on 1 of 5 charts with 99 points." in text
    assert "Nelson 1: one point beyond 3 sigma." in text
    assert "1 unit requested by name and the 1 newest of 9 top-level units" in text


def test_an_empty_report_says_so_in_every_section() -> None:
    root = parsed(page(EMPTY))
    assert [each.attributes["id"] for each in root.all("section")] == SECTIONS
    for section in root.all("section"):
        assert section.one(class_="no-data").text
        assert not section.all("table") + section.all("svg")
    assert json.loads(root.one("script", id="index").text)["names"] == []
    assert not root.all(id="search")


def test_tree_is_nested_as_it_is_built(plain: Element) -> None:
    units = plain.all("details", class_="unit")
    assert ["open" in each.attributes for each in units] == [True, False]
    top = [each for each in units[0].children if isinstance(each, Element)]
    assert [each.name for each in top] == ["summary", "ul"]
    first, second = [each for each in top[1].children if isinstance(each, Element)]
    assert first.attributes["id"] == "n1"
    assert first.one("details").one("li").attributes["id"] == "n2"
    assert second.attributes["id"] == "n3"
    assert "open: 4 needed" in second.text
    assert "Nothing is installed in it." in units[1].text


def test_index_leads_to_the_lines_of_what_it_names(plain: Element) -> None:
    index = json.loads(plain.one("script", id="index").text)
    assert index["parts"] == ["PLT-1"]
    assert index["names"] == ["APLT-1", "F lot"]
    assert index["tops"] == ["APLT-1", "F 7"]
    assert index["in"] == ["AA", ""]
    assert index["short"] == [1]
    assert index["places"] == {"0": [[1, 0], [2, 0]]}
    assert index["roots"] == {"0": 0}


def test_what_the_search_cannot_know_is_said_before_it_answers(plain: Element) -> None:
    section = plain.one("section", id="as-built")
    first = [each for each in section.children if isinstance(each, Element)]
    assert [each.attributes.get("id") or each.attributes.get("class") for each in first[1:6]] == [
        "covers",
        "open",
        "open",
        "search",
        None,
    ]
    assert "all 2 serial and lot numbers" in first[1].text
    assert "1 number below a cycle" in first[2].text
    assert "PLT-1 were never read" in first[3].text


@pytest.mark.slow
def test_depth_is_unlimited() -> None:
    report = full_report("PLT-1")
    deep = tuple(line(depth, f"P{depth}") for depth in range(3000))
    written = page(replace(report, trees=replace(report.trees, trees=(deep,))))
    assert written.count("<li ") == 2999
    assert 'id="n2999"' in written
