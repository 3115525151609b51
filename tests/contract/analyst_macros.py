"""Writes `abom_compare.sql` and `abom_compare_as_of.sql`: `python -m tests.contract.analyst_macros`.

The rules of a comparison are dbt macros, because a model uses them too; analysts call the same rules as DuckDB macros.
`test_analyst_macros.py` fails when the two differ.
"""

from pathlib import Path

from tests.unit.dbt.models import PROJECT
from tests.unit.dbt.models import render as expanded

COMPARE = PROJECT / "analyst_macros" / "abom_compare.sql"
COMPARE_AS_OF = COMPARE.with_name("abom_compare_as_of.sql")


def render(path: Path) -> str:
    """Return the text of one of the two files."""
    rendered = expanded(f"{{{{ {path.stem}() }}}}")
    return "\n".join(line.rstrip() for line in rendered.splitlines() if line.strip()) + "\n"


if __name__ == "__main__":
    for target in (COMPARE, COMPARE_AS_OF):
        target.write_text(render(target), encoding="utf-8")
