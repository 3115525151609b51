"""The analysts' macros: two are generated from dbt macros, and each file defines the macro that it is named after."""

import re
from pathlib import Path

import pytest

from ion_pipeline.pipeline.steps import analyst_macros
from tests.contract.analyst_macros import COMPARE, COMPARE_AS_OF, render


@pytest.mark.parametrize("path", [COMPARE, COMPARE_AS_OF], ids=lambda path: path.stem)
def test_the_generated_macro_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == render(path), "run `python -m tests.contract.analyst_macros`"


def test_each_file_is_one_table_macro_over_public_tables() -> None:
    paths = analyst_macros()
    assert len(paths) >= 4
    assert paths == sorted(paths)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        # Macros that the last one uses may come before it in the file.
        assert path.stem in re.findall(r"create or replace macro (\w+)\([^)]*\) as table", text)
        schemas = set(re.findall(r"(?<!distinct )(?:from|join) (\w+)\.\w+", text))
        assert schemas
        assert schemas <= {"genealogy", "ops", "reference"}
