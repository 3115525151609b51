"""A world that changes while it is read is, after the next refresh, in the warehouse as it then is: nothing is lost.

Hypothesis chooses what people do and before which of the requests they do it. What `raw` should hold is the world's
own rows with the same changes made in plain Python, not another read.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.integration.support.changing_world import add, changing_tenant, delete, update
from tests.integration.support.people import DEEDS, People

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

# When (0: before the refresh; else before its so manieth request), what, and to which of the rows there are then.
Deed = tuple[int, str, int]
ROUND = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(DEEDS), st.integers(0, 1000)), max_size=12)


@given(
    profile=st.sampled_from(["full", "today", "no-keyset"]),
    rounds=st.lists(ROUND, min_size=1, max_size=3),
    full=st.booleans(),
)
@settings(
    max_examples=examples(12),
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_no_change_is_lost_whatever_comes_between_the_requests(
    profile: str, rounds: list[list[Deed]], full: bool
) -> None:
    # Without an overlap a watermark that is a moment too late loses something.
    with TemporaryDirectory() as folder, changing_tenant(Path(folder), profile, overlap_minutes=0) as tenant:
        people = People(tenant)
        for number, deeds in enumerate(rounds):
            for request, deed, which in sorted(deeds, key=lambda one: one[0]):
                changes = people.changes(deed, which)
                tenant.change(*changes, before={"request": request} if request else None)
            report = tenant.refresh(full=full and number > 0)
            event(f"{profile}, round {number}: unsettled {bool(report.unsettled)}, to come {tenant.waiting() > 0}")
            tenant.pass_by()
        tenant.refresh()
        assert tenant.differences() == []


@pytest.mark.parametrize("again", [False, True])
def test_what_changes_while_all_is_read_is_read_before_anything_is_built(tmp_path: Path, again: bool) -> None:
    with changing_tenant(tmp_path) as tenant:
        if again:
            tenant.refresh()
        rows = {name: len(found) for name, found in tenant.world.rows.items()}
        tenant.change(
            update("parts", 10, description="meanwhile"),
            add("partInventories", id=10_000, serialNumber="new"),
            delete("abomInstallations", 50),
            # The last request for parts: it counts what has changed after everything has been read.
            before={"entity": "parts", "request": 6},
        )
        report = tenant.refresh(full=again)
        assert (tenant.waiting(), report.unsettled) == (0, {})
        assert tenant.differences() == []
        assert len(tenant.loads()) == 2 + again
        read = {one.entity: one for one in report.entities}
        assert (read["parts"].rows, read["parts"].expected) == (rows["parts"] + 1, rows["parts"])
        assert (read["part_inventories"].total_count, read["abom_installations"].deleted) == (41, 1)
        assert (read["labels"].rows, read["labels"].expected) == (rows["labels"], None)


def test_what_does_not_settle_after_a_first_read_is_said(tmp_path: Path) -> None:
    with changing_tenant(tmp_path, settle_rounds=1) as tenant:
        for request in range(3, 20):
            tenant.change(
                update("parts", 10 * request, description=f"before {request}"),
                before={"entity": "parts", "request": request},
            )
        report = tenant.refresh()
        assert report.unsettled.keys() == {"parts"}
        while tenant.waiting():
            tenant.refresh()
        assert tenant.refresh().unsettled == {}
        assert tenant.differences() == []
