"""Answers the questions of docs/analysts.md from a published file: prints each question, its SQL and the first rows.

python docs/ask.py [PUBLISHED.duckdb]
"""

import sys
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import duckdb

PAGE = Path(__file__).with_name("analysts.md")
DEFAULT = Path("data/embedded/published/ion.duckdb")


@dataclass(frozen=True, slots=True)
class Question:
    """A heading of the page, a `select` under it, and its printed answer, if any: columns, then rows, as text."""

    title: str
    sql: str
    answer: tuple[tuple[str, ...], ...] = ()


def questions() -> list[Question]:
    """Return every SQL block of the page with its heading and the table that follows it."""
    found: list[Question] = []
    title = ""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line == "```sql":
            found.append(Question(title, "\n".join(takewhile(lambda text: text != "```", lines))))
        elif line.startswith("|") and not line.startswith("|---") and found and found[-1].title == title:
            cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
            found[-1] = replace(found[-1], answer=(*found[-1].answer, cells))
    return found


def main() -> None:
    """Run every question and print the first rows of each answer."""
    published = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not published.is_file():
        sys.exit(f"{published} does not exist: run `make demo`, or name a published file.")
    with duckdb.connect(str(published), read_only=True) as connection:
        for question in questions():
            print(f"\n{question.title}\n\n{question.sql}\n")
            connection.sql(question.sql).show(max_rows=8)


if __name__ == "__main__":
    main()
