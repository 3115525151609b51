"""The SQL of docs/analysts.md: each block with its heading, the command above it and the answer printed below it."""

from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "analysts.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading of the page, a `select` under it, its `ion-pipeline ask` and its printed answer, if any, as text."""

    title: str
    sql: str
    command: str | None = None
    answer: tuple[tuple[str, ...], ...] = ()


def blocks() -> list[Block]:
    """Return every SQL block of the page with its heading and the table that follows it."""
    found: list[Block] = []
    title = ""
    command: str | None = None
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith("#"):
            title = line.lstrip("# ")
            command = None
        elif line.startswith("    ion-pipeline ask "):
            command = line.strip()
        elif line == "```sql":
            found.append(Block(title, "\n".join(takewhile(lambda text: text != "```", lines)), command))
            command = None
        elif line.startswith("|") and not line.startswith("|---") and found and found[-1].title == title:
            cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
            found[-1] = replace(found[-1], answer=(*found[-1].answer, cells))
    return found
