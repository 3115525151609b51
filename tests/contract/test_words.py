"""The project's private words of earlier versions do not come back: CONTRIBUTING's "Words" says what is written now."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("ion_pipeline", "dbt_project", "docs", "tests", "benchmarks")
SUFFIXES = {".py", ".sql", ".yml", ".md", ".toml", ".js", ".css", ".example"}
# Written by a machine, or another's: dbt's page, what dbt builds, the licence.
NOT_OURS = {"target", "logs", "dbt", "__pycache__", "__snapshots__"}
OLD = re.compile(
    r"\b(books|fold(s|ed|ing)?|sweep(s|ing)?|swept|ledger|hears?|reveal(s|ed|ing)?|unequal|aside|tells?|told|upkeep"
    r"|whoever|stands?|stood|beside|nobody listens|torn up|for good|without a sign|take[sn]? up|took up"
    r"|(go|goes|going|gone|went) on|(go|goes|gone) by|take_up|begin_or_go_on|go_on|going_on|heap_at_rest)\b",
    re.IGNORECASE,
)
# Names on disk and words of other people's interfaces, as they are written.
ALLOWED = re.compile(
    r"""_books/|"books"|`books`|fold=|\.fold\b|"fold"|`fold`|def tell\(|\.tell\(|"test stand"|'test stand'"""
)


def texts() -> list[Path]:
    """Every text that a person reads: sources, documents, queries."""
    found = [path for path in REPOSITORY.iterdir() if path.suffix in SUFFIXES or path.name == "Makefile"]
    for folder in FOLDERS:
        found += [
            path
            for path in (REPOSITORY / folder).rglob("*")
            if path.suffix in SUFFIXES and not NOT_OURS & set(path.relative_to(REPOSITORY / folder).parts[:-1])
        ]
    return [path for path in found if path != Path(__file__)]


def old_words(path: Path) -> list[str]:
    """Place and line of each old word."""
    lines = path.read_text(encoding="utf-8").splitlines()
    where = path.relative_to(REPOSITORY)
    return [
        f"{where}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if OLD.search(ALLOWED.sub("", line))
    ]


def test_the_old_words_are_gone() -> None:
    read = texts()
    assert len(read) > 800
    assert [line for path in read for line in old_words(path)] == []


@pytest.mark.parametrize("sentence", ["The books say so.", "It goes on where it stood.", "Whoever comes is told."])
def test_an_old_word_is_found(sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contract.test_words.REPOSITORY", tmp_path)
    text = tmp_path / "text.md"
    text.write_text(sentence, encoding="utf-8")
    assert old_words(text)
