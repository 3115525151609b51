"""The questions of docs/bi.md that are SQL, read from the page."""

import re
from pathlib import Path
from typing import NamedTuple

_PAGE = Path("docs/bi.md")
_SECTION = "### The same questions in other tools"
_CODE = re.compile(r"`([^`]+)`")


class BiQuestion(NamedTuple):
    """A row of the page's table."""

    name: str
    rows: str
    by: list[str]
    figures: list[str]

    @property
    def sql(self) -> str:
        """The question as a tool asks it, in the order of what it is grouped by."""
        numbers = ", ".join(str(place + 1) for place in range(len(self.by)))
        return f"select {', '.join(self.by + self.figures)} from {self.rows} group by {numbers} order by {numbers}"  # noqa: S608 -- from our own page


def bi_questions() -> list[BiQuestion]:
    """The rows of the table."""
    section = _PAGE.read_text(encoding="utf-8").partition(_SECTION)[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        BiQuestion(name, _CODE.findall(rows)[0], _CODE.findall(by), _CODE.findall(to)) for name, rows, by, to in cells
    ]


def recalls() -> tuple[str, str]:
    """The recall in PostgreSQL, and in the file."""
    section = _PAGE.read_text(encoding="utf-8").partition(_SECTION)[2]
    there, here = (code for code in _CODE.findall(section) if "recall('" in code)
    return there, here


def grants() -> list[str]:
    """The statements that give a tool its user."""
    section = _PAGE.read_text(encoding="utf-8").partition("\n## Metabase\n")[2].partition("\n## ")[0]
    return [part for code in _CODE.findall(section) if ";" in code for part in code.split(";") if part.strip()]
