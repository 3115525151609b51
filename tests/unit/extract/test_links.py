"""Signed links lose their query, and nothing else changes."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.catalog.catalog import Column
from ion_pipeline.extract.links import strip_signatures, without_signatures
from ion_pipeline.extract.values import to_array

STRING = Column("s", "s", "String", pa.string())
STRINGS = Column("l", "l", "String", pa.list_(pa.string()))
SCALAR = Column("v", "value", "ScalarValue", pa.string(), is_json=True)
JSON_STRING = Column("j", "j", "JSONString", pa.string())

FILE = "https://files.ion.test/org-1/drawing%20A.pdf"


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F2026&X-Amz-Signature=0f3c",
        "x-amz-signature=0f3c",
        "X-Goog-Signature=0f3c",
        "AWSAccessKeyId=AK&Expires=1772352900&Signature=0f%2B3c",
        "Policy=eyJ&Signature=abc&Key-Pair-Id=K2",
        "sv=2024&se=2026-03-01&sp=r&sig=0f3c",
        "v=3&token=eyJhbGciOi",
        "access_token=eyJ",
        "name=a&amp;sig=0f3c",
        "download=1;Signature=0f3c#page=2",
        "Expires=1",
        "it's=1&sig=0f3c",
        "name=report \u00fc 7.pdf&X-Amz-Signature=0f3c",
    ],
)
def test_signed_queries_go_wherever_the_link_is(query: str) -> None:
    link = f"{FILE}?{query}"
    assert to_array([None, link, "plain"], STRING).to_pylist() == [None, FILE, "plain"]
    assert to_array([[link, None], None, []], STRINGS).to_pylist() == [[FILE, None], None, []]
    (text,) = to_array([link], SCALAR).to_pylist()
    assert json.loads(text) == FILE
    nested = {"type": "paragraph", "children": [{"text": f'say "{link}"\nand {link} twice'}, {"url": link}]}
    (text,) = to_array([nested], SCALAR).to_pylist()
    assert json.loads(text) == {
        "type": "paragraph",
        "children": [{"text": f'say "{FILE}"\nand {FILE} twice'}, {"url": FILE}],
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://files.ion.test/report \u00fc.pdf?X-Amz-Signature=0f3c", "https://files.ion.test/report \u00fc.pdf"),
        ("https://app.ion.test/#/files/7?token=0f3c", "https://app.ion.test/#/files/7"),
        ("HTTPS://FILES.ION.TEST/A?SIG=0f3c", "HTTPS://FILES.ION.TEST/A"),
        (f"{FILE}?sig=1,{FILE}?sig=2 {FILE}?v=3", f"{FILE}{FILE} {FILE}?v=3"),
        (f"[drawing]({FILE}?v=1) and {FILE}?v=2&sig=0f3c, then more", f"[drawing]({FILE}?v=1) and {FILE} then more"),
        ("https://a.test/c?redirect=https://b.test/d&sig=0f3c", "https://a.test/c?redirect=https://b.test/d"),
    ],
)
def test_links_in_awkward_company(text: str, left: str) -> None:
    assert to_array([text], STRING).to_pylist() == [left]
    (as_json,) = to_array([[text]], SCALAR).to_pylist()
    assert json.loads(as_json) == [left]


def test_a_long_value_takes_no_long_time() -> None:
    value = "x" * 2**20 + f" {FILE}?sig=0f3c " + "https" * 2**18 + "?" * 2**18
    assert "0f3c" not in to_array([value], STRING)[0].as_py()


def test_other_ways_to_write_json() -> None:
    escaped = r'{"url": "https:\/\/files.ion.test\/a.pdf?v=1\u0026X-Amz-Signature\u003d0f3c", "n": "é\n"}'
    (text,) = to_array([escaped], JSON_STRING).to_pylist()
    assert json.loads(text) == {"url": "https://files.ion.test/a.pdf", "n": "é\n"}
    assert "0f3c" not in text


@pytest.mark.parametrize(
    "value",
    [
        "https://wiki.test/page?id=7&view=full#top",
        "https://wiki.test/design?significant=yes&tokens=3&sigma=2",
        "what? token=abc",
        "no link: Signature=abc",
        "ratio 1://2?",
        "https://a.test/b#c&d=1",
        "?sig=abc",
        "",
    ],
)
def test_everything_else_stays(value: str) -> None:
    assert to_array([value], STRING).to_pylist() == [value]
    (text,) = to_array([{"v": value}], SCALAR).to_pylist()
    assert json.loads(text) == {"v": value}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_json_text_stays_valid_around_a_link(before: str, after: str) -> None:
    document = {"a": f"{before} {FILE}?sig=0f3c\n{after}", "b": [before, after]}
    (text,) = to_array([document], SCALAR).to_pylist()
    parsed = json.loads(text)
    assert parsed["b"] == [strip_signatures(before, is_json=False), strip_signatures(after, is_json=False)]
    assert f"{FILE}\n" in parsed["a"]
    assert "0f3c" not in text.replace(json.dumps(before), "").replace(json.dumps(after), "") or "0f3c" in before + after


@given(st.text(alphabet='ab?&=:/\\"#; \n.sigtoken', max_size=60))
def test_text_without_a_signed_link_is_untouched(text: str) -> None:
    if "sig=" not in text and "token=" not in text:
        assert strip_signatures(text, is_json=False) == text


_PIECES = ("https:", "//", "\\/\\/", "\\", "/", ":", "h.test", "?", "&", ";", "sig=1", "token=x", " ", "a", "\n")


@settings(deadline=None)
@given(st.lists(st.none() | st.lists(st.sampled_from(_PIECES), max_size=8).map("".join), max_size=6), st.booleans())
def test_a_column_is_as_its_values_one_by_one(values: list[str | None], is_json: bool) -> None:
    cleaned = without_signatures(pa.array(values, pa.string()), is_json=is_json)
    # The columns are looked through before; that must let no link by.
    assert cleaned.to_pylist() == [value and strip_signatures(value, is_json=is_json) for value in values]
