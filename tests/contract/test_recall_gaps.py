"""What a recall may miss is the same in the file's macro, in PostgreSQL's function and on the dashboard."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
#: The entities that were never read, and the rows under export control that are left out.
GAPS = re.compile(r"select string_agg ?\(.*? is_latest and rows_read is null")


def gaps(path: str) -> str:
    text = re.sub(r"--[^\n]*", "", (REPOSITORY / path).read_text("utf-8"))
    found = [each for each in GAPS.findall(" ".join(text.split())) if "never read" in each]
    assert len(found) == 1, path
    # From the last one on: an earlier query may begin in the same way.
    return re.sub(r" as (reason|missing)\b", "", found[0][found[0].rindex("select string_agg") :])


def test_recalls_miss_the_same_everywhere() -> None:
    macro = gaps("dbt_project/analyst_macros/recall.sql")
    assert "Rows under export control" in macro
    assert gaps("ion_pipeline/dashboard/sql/recall_gaps.sql") == macro
    assert gaps("ion_pipeline/publish/postgres_functions.py") == macro
