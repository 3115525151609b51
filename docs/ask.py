"""Answers the questions of docs/analysts.md from a published file: prints each question, its SQL and the first rows.

python docs/ask.py [PUBLISHED.duckdb]
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

PAGE = Path(__file__).with_name("analysts.md")
DEFAULT = Path("data/embedded/published/ion.duckdb")
_BLOCK = re.compile(
    r"^#{2,3} (?P<title>[^\n]+)\n(?P<text>(?:(?!^#{2,3} ).*\n)*?)```sql\n(?P<sql>.*?)```", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Question:
    """A heading of the page and the select under it."""

    title: str
    sql: str


def questions() -> list[Question]:
    """Every SQL block of the page with the heading it stands under."""
    return [Question(match["title"], match["sql"].strip()) for match in _BLOCK.finditer(PAGE.read_text("utf-8"))]


def main() -> None:
    """Ask them all."""
    published = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not published.is_file():
        sys.exit(f"{published} is not there: run `make demo`, or name a published file.")
    with duckdb.connect(str(published), read_only=True) as connection:
        for question in questions():
            print(f"\n{question.title}\n\n{question.sql}\n")  # noqa: T201
            connection.sql(question.sql).show(max_rows=8)


if __name__ == "__main__":
    main()
