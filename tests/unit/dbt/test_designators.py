"""The places that a reference designator names."""

import duckdb
import pytest

from tests.oracle.designators import key_of, places_of
from tests.unit.dbt.models import render

CASES = [
    ("R1", ["R1"]),
    (" r1 ", ["R1"]),
    ("R1-R5", ["R1", "R2", "R3", "R4", "R5"]),
    ("r08 - R11", ["R08", "R09", "R10", "R11"]),
    ("C2, R3-R4; c7", ["C2", "R3", "R4", "C7"]),
    ("J1-2", ["J1-2"]),
    ("R5-R1", ["R5-R1"]),
    ("R1-C5", ["R1-C5"]),
    ("R1-R99999", ["R1-R99999"]),
    ("", []),
    (" \t\u00a0", []),
    ("\tR7\r\n", ["R7"]),
    ("R1,, ;R2", ["R1", "R2"]),
]


@pytest.mark.parametrize(("designator", "places"), CASES)
def test_places_of_a_designator(designator: str, places: list[str]) -> None:
    sql = render("select {{ designator_places('designator') }} from (select ? as designator)")
    assert duckdb.execute(sql, [designator]).fetchall() == [(places,)]
    assert places_of(designator) == places


@pytest.mark.parametrize(
    ("designator", "key"),
    [
        *((text, ",".join(sorted(places)) or None) for text, places in CASES),
        ("r3, R1-R2, r3", "R1,R2,R3"),
        (None, None),
    ],
)
def test_key_of_a_designator(designator: str | None, key: str | None) -> None:
    sql = render("select {{ designator_key('designator') }} from (select cast(? as varchar) as designator)")
    assert duckdb.execute(sql, [designator]).fetchall() == [(key,)]
    assert key_of(designator) == key
