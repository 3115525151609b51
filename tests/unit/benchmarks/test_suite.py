"""Which contenders are run, and that the server needs no more memory for a larger tenant."""

import pytest

from benchmarks.extraction.replay import Replay
from benchmarks.extraction.suite import CONTENDERS, chosen


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["plain"], ["plain"]),
        (["floor, ranges"], ["floor, ranges"]),
        (["ours,floor"], ["floor, one stream", "floor, ranges", "ours, one stream", "ours, ranges"]),
        (["floor, one stream", "dlt"], ["floor, one stream", "dlt"]),
    ],
)
def test_contenders_are_chosen_by_name_or_kind_and_keep_their_order(wanted: list[str], names: list[str]) -> None:
    assert [one.name for one in chosen(wanted)] == names


def test_by_default_all_of_them_run() -> None:
    assert chosen([]) == list(CONTENDERS)


def test_a_misspelt_contender_is_refused() -> None:
    with pytest.raises(ValueError, match="no contender flor"):
        chosen(["ours,flor"])


def test_ten_billion_rows_are_served_from_what_a_hundred_need() -> None:
    small, large = (Replay({"parts": count}, fields=6, latency=0).rows["parts"] for count in (100, 10**10))
    assert large.remainders == small.remainders
    assert large.edges(10**10, 10**10).startswith(b'{"node":{"id":10000000000,')
