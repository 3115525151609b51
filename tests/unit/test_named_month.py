"""Months as people write them on the command line."""

from datetime import date

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.questions.asking import named_month


@pytest.mark.parametrize(
    ("written", "today", "month"),
    [
        ("2026-10", date(2026, 11, 30), date(2026, 10, 1)),
        ("last", date(2026, 11, 30), date(2026, 10, 1)),
        ("Last", date(2026, 3, 31), date(2026, 2, 1)),
        ("last", date(2026, 1, 1), date(2025, 12, 1)),
    ],
)
def test_a_month(written: str, today: date, month: date) -> None:
    assert named_month(written, today) == month


@pytest.mark.parametrize("written", ["2026-13", "october", "", "2026-10-01"])
def test_no_month(written: str) -> None:
    with pytest.raises(SettingsError, match="is not a month"):
        named_month(written, date(2026, 11, 30))
