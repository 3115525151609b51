"""A reader finds every page: the contents link them all, each links its neighbours, and links lead to a heading."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
SEE_ALSO = "See also: [Contents](index.md)"


def linked(text: str) -> set[str]:
    return {target for target, _ in LINK.findall(text) if target}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_contents_link_every_page() -> None:
    others = {page.name for page in PAGES} - {"index.md"}
    assert len(others) > 15
    assert others <= linked((DOCS / "index.md").read_text("utf-8"))
    assert "docs/index.md" in linked((REPOSITORY / "README.md").read_text("utf-8"))


def test_the_contents_of_the_decisions_list_every_record() -> None:
    """Under its topic, each number once; `3 to 5` means three of them."""
    text = (REPOSITORY / "DECISIONS.md").read_text("utf-8")
    topics = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    records = {
        topic: sorted(int(number) for number in re.findall(r"^### (\d+)\.", body, re.MULTILINE))
        for topic, body in zip(topics[::2], topics[1::2], strict=True)
    }
    listed = {}
    for topic, numbers in re.findall(r"^\| \[([^]]+)\]\(#[^)]+\) \| ([^|]+) \|$", text, re.MULTILINE):
        spans = [[int(end) for end in span.split(" to ")] for span in numbers.split(", ")]
        listed[topic] = [number for span in spans for number in range(span[0], span[-1] + 1)]
    assert listed == {topic: numbers for topic, numbers in records.items() if numbers}
    every = sorted(number for numbers in records.values() for number in numbers)
    assert every == list(range(1, 1 + len(every)))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "index.md"], ids=lambda page: page.name)
def test_each_page_ends_with_its_neighbours(page: Path) -> None:
    *_, last = page.read_text("utf-8").rstrip().splitlines()
    assert last.startswith(SEE_ALSO), "the last line links the contents and the pages next to this one"
    neighbours = linked(last) - {"index.md", page.name}
    assert len(neighbours) >= 2
    assert all((DOCS / name).is_file() for name in neighbours)


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "README.md"], ids=lambda page: page.name)
def test_links_lead_to_a_heading(page: Path) -> None:
    found = [
        (target, anchor)
        for target, anchor in LINK.findall(page.read_text("utf-8"))
        if anchor and anchor not in anchors(page.parent / target if target else page)
    ]
    assert found == []
