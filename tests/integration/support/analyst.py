"""The published file with the macros for analysts in it, as rows of dictionaries."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

MACROS = Path(__file__).parents[3] / "dbt_project" / "analyst_macros"


class Analyst:
    """Asks a copy of a published file, in which the macros are made anew."""

    def __init__(self, published: Path, folder: Path) -> None:
        self.database = folder / "analyst.duckdb"
        shutil.copyfile(published, self.database)
        with closing(duckdb.connect(str(self.database))) as connection:
            for file in sorted(MACROS.glob("mbom_*.sql")):
                connection.execute(file.read_text(encoding="utf-8"))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with closing(duckdb.connect(str(self.database), read_only=True)) as connection:
            cursor = connection.execute(sql, list(values))
            columns = [column[0] for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
