"""Text never becomes markup."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ion_pipeline.report.markup import point, tag
from tests.html_page import parsed

# Characters that HTML cannot contain are replaced; another test checks that.
holdable = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"])) | st.text(
    "<>&\"'/!-=` \t\nscript", max_size=40
)


@given(holdable)
@example("<script>alert(1)</script>")
@example("</title><script>alert(1)</script>")
@example("\" onload='alert(1)' x=\"")
@example("&lt;&#60;&amp;")
@example("<!--")
@example("]]>")
def test_text_and_attributes_come_back_as_they_were(text: str) -> None:
    page = parsed(tag("p", text, tag("b", [text, None, [text]]), title=text, data_name=text))
    (paragraph,) = page.children
    assert paragraph.attributes == {"title": text, "data-name": text}
    assert [each.name for each in page.all()] == ["", "p", "b"]
    assert paragraph.text == text * 3


@given(st.text())
def test_any_text_makes_well_formed_markup(text: str) -> None:
    root = ET.fromstring(tag("svg", tag("text", text), aria_label=text))  # noqa: S314 -- our own
    assert [each.tag for each in root.iter()] == ["svg", "text"]


def test_what_html_cannot_hold_is_replaced() -> None:
    assert tag("b", "a\x00b\x1bc\ufffed\ud800e") == "<b>a\ufffdb\ufffdc\ufffdd\ufffde</b>"


def test_attributes() -> None:
    assert tag("input", required=True, hidden=False, id=None, tabindex=0, for_="x", aria_label="y", size=1.0) == (
        '<input required tabindex="0" for="x" aria-label="y" size="1">'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-0.0, "0"),
        (-0.001, "0"),
        (100, "100"),
        (10.5, "10.5"),
        (1 / 3, "0.33"),
        (-2.005, "-2"),
        (1200.0, "1200"),
    ],
)
def test_coordinates_are_short(value: float, written: str) -> None:
    assert point(value) == written
