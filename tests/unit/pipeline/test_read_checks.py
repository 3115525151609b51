"""What the checks of a read say of planted results."""

from dataclasses import replace

import pytest

from ion_pipeline.catalog import Drift
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.read_checks import clock_check, count_check, read_checks, schema_check
from ion_pipeline.pipeline.read_mode import ExtractReport

READ = EntityResult(
    entity="parts", status="read", paging="keyset", tables={"parts": 3}, pages=1, requests=1, total_count=3
)


@pytest.mark.parametrize(
    ("result", "passed", "blocks"),
    [
        (READ, True, True),
        (replace(READ, total_count=2), False, True),
        (replace(READ, total_count=0, tables={"parts": 0}), True, True),
        (replace(READ, total_count=None), True, True),
        (replace(READ, expected=3), True, True),
        (replace(READ, expected=2), False, True),
        (replace(READ, unsettled=1, total_count=2), False, False),
        (EntityResult(entity="parts", status="forbidden"), False, False),
        (EntityResult(entity="parts", status="absent"), False, False),
    ],
)
def test_count_check(result: EntityResult, passed: bool, blocks: bool) -> None:
    check = count_check(result)
    assert (check.passed, check.blocks) == (passed, blocks)


@pytest.mark.parametrize(
    ("result", "passed"),
    [
        (READ, True),
        (replace(READ, drift=Drift(retyped=("Part.cost: Float -> Int",))), False),
        (replace(READ, drift=Drift(new_values=("Parttypeenum.WISH",))), False),
        (EntityResult(entity="parts", status="forbidden"), True),
        (EntityResult(entity="parts", status="absent"), False),
    ],
)
def test_schema_check(result: EntityResult, passed: bool) -> None:
    check = schema_check(result)
    assert (check.passed, check.blocks) == (passed, False)


@pytest.mark.parametrize(
    ("doubts", "passed", "said"), [((), True, ""), (("One.", "Two\x1b[2J."), False, r"One. Two\x1b[2J.")]
)
def test_clock_check(doubts: tuple[str, ...], passed: bool, said: str) -> None:
    report = ExtractReport("load", "1", (READ,), 1, 1, 1, 1.0, doubts)
    check = clock_check(READ, report)
    assert (check.passed, check.blocks, check.description) == (passed, False, said)
    assert check in read_checks(report, READ)
