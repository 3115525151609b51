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
from tests.integration.support.changing_world import Change, Tenant, add, changing_tenant, delete, update

pytestmark = pytest.mark.slow

DEEDS = (
    "change",
    "attribute",
    "attribute and touch",
    "label",
    "insert",
    "insert between",
    "delete",
    "replace",
    "re-parent",
    "link",
    "unlink",
    "unwatched",
)
# When (0: before the refresh; else before its so manieth request), what, and to which of the rows there are then.
Deed = tuple[int, str, int]
ROUND = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(DEEDS), st.integers(0, 1000)), max_size=12)


class People:
    """Turn deeds into changes that fit the tenant as it is when they happen."""

    def __init__(self, tenant: Tenant) -> None:
        self._rows = tenant.world.rows
        self._new = 10_000

    def changes(self, deed: str, which: int) -> list[Change]:
        self._new += 3
        entity, name = [("parts", "parts"), ("partInventories", "part_inventories")][which % 2]
        part, unit, installation, requirement = (
            self._one(table, which)
            for table in ("parts", "part_inventories", "abom_installations", "build_requirements")
        )
        other = self._one("part_inventories", which + 7)
        value = [{"key": "colour", "value": self._new}]
        links = [{"id": unit}, {"id": other}]
        made: dict[str, list[Change]] = {
            "change": [update("parts", part, description=f"changed {self._new}")],
            "attribute": [update(entity, self._one(name, which), attributes=value)],
            "attribute and touch": [update(entity, self._one(name, which), touch=True, attributes=value[: which % 2])],
            "label": [update("partInventories", unit, touch=True, labels=[{"id": 10 * (which % 6 + 1)}])],
            "insert": [add("parts", id=self._new, partNumber=f"N-{self._new}", attributes=value)],
            "insert between": self._between(which),
            "delete": [self._deletion(which)],
            "replace": [
                delete("abomInstallations", installation),
                add("abomInstallations", id=self._new, partInventoryId=unit, quantity=1),
            ],
            "re-parent": [update("abomInstallations", installation, partInventoryId=other)],
            "link": [update("buildRequirements", requirement, touch=True, partInventories=links)],
            "unlink": [update("buildRequirements", requirement, touch=True, partInventories=[])],
            "unwatched": [update("validationFunctions", 10 * (which % 5 + 1), displayName=str(self._new))],
        }
        return made[deed]

    def _one(self, table: str, which: int) -> int:
        """An existing row. Neighbouring numbers give neighbouring rows, so that changes concern the same rows."""
        ids = sorted(key[0] for key in self._rows[table])
        return int(ids[which % len(ids)])

    def _between(self, which: int) -> list[Change]:
        row_id = 10 * (which % 40) + 5
        is_there = (row_id,) in self._rows["abom_installations"]
        return [] if is_there else [add("abomInstallations", id=row_id, quantity=which)]

    def _deletion(self, which: int) -> Change:
        links = sorted(self._rows["issue_part_inventories"])
        if which % 4 == 0 and len(links) > 1:
            return delete("issuePartInventories", list(links[which % len(links)]))
        entity, table = [
            ("abomInstallations", "abom_installations"),
            ("buildRequirements", "build_requirements"),
            ("parts", "parts"),
        ][which % 3]
        return delete(entity, self._one(table, which))


@given(
    profile=st.sampled_from(["full", "full", "no-keyset"]),
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
            before={"request": 22},
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
