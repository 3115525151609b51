"""How far a publish is as a whole: each of its steps goes through tables, and costs differently."""

from collections.abc import Sequence
from dataclasses import replace

from ion_pipeline.counting import Count, OnCount

COMPARING, COPYING, MAKING, CHECKING = "comparing", "copying", "making ION's", "checking"
WRITING_PARQUET, WRITING_DELTA = "writing Parquet", "writing Delta tables"
# What a row costs, and what a table costs without its rows; measured with the demo of scale 1 and 10.
_ROW_COSTS = {COPYING: 10.0, MAKING: 15.0, CHECKING: 1.0, WRITING_PARQUET: 2.5, WRITING_DELTA: 4.0}
_ROWS_OF_A_TABLE = 1_000


class Whole:
    """Turns the share of each step into that of the publish. It is 0 before the publish is planned.

    Args:
        on_count: Called with each count.
    """

    def __init__(self, on_count: OnCount) -> None:
        self._on_count = on_count
        self._work: dict[str, float] = {}
        self._share = 0.0

    def plan(self, copied: Sequence[int], made: Sequence[int], *, parquet: bool, delta: bool) -> None:
        """Say what the publish will do.

        Args:
            copied: The rows of each table that is copied.
            made: About the rows of each table of the schema `ion` that is made.
            parquet: Whether they are written as Parquet, too.
            delta: Whether they are written as Delta tables, too.
        """
        written = [*copied, *made]
        steps = {COPYING: copied, MAKING: made, CHECKING: written}
        if parquet:
            steps[WRITING_PARQUET] = written
        if delta:
            steps[WRITING_DELTA] = written
        self._work = {step: sum(map(work_of, rows)) * _ROW_COSTS[step] for step, rows in steps.items()}

    def __call__(self, count: Count) -> None:
        """Pass on a count of a step."""
        if all_work := sum(self._work.values()):
            steps = list(self._work)
            if count.doing in steps:
                before = sum(self._work[step] for step in steps[: steps.index(count.doing)])
                self._share = (before + self._work[count.doing] * (count.share or 0.0)) / all_work
        self._on_count(replace(count, share=self._share))


def work_of(rows: int) -> int:
    """How much work a table is, in rows."""
    return rows + _ROWS_OF_A_TABLE
