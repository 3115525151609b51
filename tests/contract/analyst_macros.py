"""Writes `abom_compare.sql` and `abom_compare_as_of.sql`: `python -m tests.contract.analyst_macros`.

The rules of a comparison are dbt macros, because a model uses them too; analysts call the same rules as DuckDB macros.
`test_analyst_macros.py` fails when the two differ.
"""

from pathlib import Path

import jinja2
import yaml

PROJECT = Path(__file__).parents[2] / "dbt_project"
COMPARE = PROJECT / "analyst_macros" / "abom_compare.sql"
COMPARE_AS_OF = COMPARE.with_name("abom_compare_as_of.sql")


def render(path: Path) -> str:
    """Return the text of one of the two files."""
    variables = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 -- SQL, not HTML
    sources = sorted((PROJECT / "macros" / "dialect" / "compare").glob("*.sql"))
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    text += f"{{{{ {path.stem}() }}}}"
    rendered = environment.from_string(text).render(var=variables.__getitem__)
    return "\n".join(line.rstrip() for line in rendered.splitlines() if line.strip()) + "\n"


if __name__ == "__main__":
    for target in (COMPARE, COMPARE_AS_OF):
        target.write_text(render(target), encoding="utf-8")
