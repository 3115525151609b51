"""A seed is read from its own file, whatever the names of its folders."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest

from ion_pipeline.pipeline.dbt import project_dir

MACROS = project_dir() / "macros" / "dialect" / "seeds.sql"


def filling(path: Path) -> str:
    """Return the statement with which dbt fills the seed `t` from a file."""
    run: list[str] = []

    def returned(value: Any) -> Any:
        return value

    adapter = SimpleNamespace(get_seed_file_path=lambda _: str(path), add_query=lambda sql, **_: run.append(sql) or "")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 -- SQL, not HTML
    environment.globals.update(
        {"return": returned, "adapter": adapter, "this": SimpleNamespace(render=lambda: "t"), "config": {}}
    )
    environment.from_string(MACROS.read_text("utf-8")).module.duckdb__load_csv_rows(None, None)  # type: ignore[attr-defined]
    [sql] = run
    return sql


@pytest.mark.parametrize(
    "name",
    ["a*b", "[x]", "a?b", "{a,b}", "it's", 'a "b"', "x#y;z", "é &%20$~", "one\ntwo", "]", "**", "a[!b]*?'\"{c}"],
)
def test_a_seed_is_read_from_its_own_folder_and_from_no_other(name: str, tmp_path: Path) -> None:
    # A file that a pattern of that name would also match.
    for folder in (name, "axb", "x", "a", "b", "one"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "seed.csv").write_text("key,value\nk,another\n", "utf-8")
    (tmp_path / name / "seed.csv").write_text("key,value\nk,its own\n", "utf-8")
    with duckdb.connect() as connection:
        connection.execute("create table t (key varchar, value varchar)")
        connection.execute(filling(tmp_path / name / "seed.csv"))
        assert connection.execute("select value from t").fetchall() == [("its own",)]
