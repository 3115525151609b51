"""A read of a small tenant that is interrupted after any page, and resumed after any change."""

import asyncio
import copy
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.extract import EntityResult, InterruptedRead, ReadProgress, decide, fetch, known_of, resume_read
from ion_pipeline.extract.ranges import IdRange
from ion_pipeline.extract.read_progress import EntityProgress, ReadRange
from ion_pipeline.extract.state import State
from tests.examples import examples
from tests.unit.extract.mini_ion import MiniIon, sdl
from tests.unit.extract.support import Listener, Rows, client_of

CLOCK = datetime(2026, 3, 2, 3, 12, tzinfo=UTC)
ALL = ["parts", "part_inventories", "issue_relations"]


def part(identifier: int) -> dict[str, Any]:
    return {"id": identifier, "partNumber": f"P-{identifier}", "attributes": [{"key": "mass", "value": identifier}]}


def tenant(count: int, **changes: Any) -> MiniIon:
    relations = [{"originIssueId": number, "relatedIssueId": number + 1} for number in range(7)]
    units = [{"id": number, "serialNumber": f"S-{number}"} for number in range(1, 12)]
    parts = [part(number) for number in range(1, count + 1)]
    return MiniIon({"parts": parts, "partInventories": units, "issueRelations": relations}, **changes)


def same(rows: Rows) -> Rows:
    """A copy to write on."""
    found = Rows()
    found.batches.update({table: list(batches) for table, batches in rows.batches.items()})
    return found


class Discarding:
    """Checks that a discarded table is no longer in the progress: both are stored together, perhaps at that moment."""

    def __init__(self, rows: Rows, read_progress: ReadProgress) -> None:
        self.rows, self.read_progress = rows, read_progress

    def __call__(self, table: str) -> None:
        assert known_catalog().tables[table].entity not in self.read_progress.document()
        Rows.discard(self.rows, table)


class Moment:
    """What is durable after a page: the rows and the progress of the same moment."""

    def __init__(self, rows: Rows, read_progress: ReadProgress, pages: int) -> None:
        self.rows = same(rows)
        self.notes = copy.deepcopy(read_progress.document())
        self.pages = pages

    def left(self) -> InterruptedRead:
        tables = {table: sum(batch.num_rows for batch in found) for table, found in self.rows.batches.items()}
        return InterruptedRead(tables, lambda _: ())


async def read_through(ion: MiniIon, selection: list[str]) -> tuple[Rows, list[Moment]]:
    """A whole read, and every moment at which it might have ended."""
    rows, read_progress, moments = Rows(), ReadProgress(), []
    read_progress.page_written = lambda: moments.append(Moment(rows, read_progress, len(ion.asked)))
    async with client_of(ion, max_concurrency=3) as client:
        plan = negotiate(ion.schema, known_catalog(), selection)
        await fetch(client, plan, rows, page_size=3, read_progress=read_progress)
    return rows, moments


async def resumed_read(
    ion: MiniIon, moment: Moment, selection: list[str]
) -> tuple[Rows, dict[str, EntityResult], Listener]:
    rows, heard = same(moment.rows), Listener()
    async with client_of(ion, max_concurrency=3) as client:
        plan = negotiate(ion.schema, known_catalog(), selection)
        tasks = await decide(client, plan, known_of(plan, State()), page_size=3)
        read_progress = ReadProgress.read(moment.notes, CLOCK)
        rows.discard = Discarding(rows, read_progress)  # type: ignore[method-assign]
        await resume_read(client, plan, tasks, read_progress=read_progress, left=moment.left(), sink=rows)
        ion.asked.clear()
        found = await fetch(client, plan, rows, page_size=3, read_progress=read_progress, progress=heard)
    return rows, {result.entity: result for result in found}, heard


def ids_of(ion: MiniIon, connection: str) -> list[int]:
    return sorted(row["id"] for row in ion.rows[connection])


@pytest.mark.slow
def test_after_any_page_the_rest_is_read_and_no_more() -> None:
    whole, moments = asyncio.run(read_through(tenant(60), ALL))
    assert len(moments) > 20
    pages_by_moment = []
    for moment in moments:
        ion = tenant(60)
        before = sum(batch.num_rows for batch in moment.rows.batches.get("parts", []))
        rows, results, heard = asyncio.run(resumed_read(ion, moment, ALL))
        for table, key in (
            ("parts", ("id", "part_number")),
            ("part_attributes", ("part_id", "key", "value")),
            ("part_inventories", ("id",)),
            ("issue_relations", ("origin_issue_id", "related_issue_id")),
        ):
            assert sorted(rows.of(table, *key)) == sorted(whole.of(table, *key)), table
        result = results["parts"]
        assert (result.rows, result.tables["part_attributes"], result.total_count) == (60, 60, 60)
        # Cut into ranges anew, what is left takes a page for each range more than it must.
        assert result.pages <= (60 - before) / 3 + 12
        assert result.watermark == (CLOCK if before else datetime(2026, 3, 2, 10, tzinfo=UTC))
        assert sum(rows or 0 for kind, name, rows in heard.events if (kind, name) == ("advanced", "parts")) == 60
        pages_by_moment.append(len(ion.asked))
    assert pages_by_moment[-1] < pages_by_moment[0] / 4


@cache
def moments_of_a_read() -> list[Moment]:
    return asyncio.run(read_through(tenant(40), ALL))[1]


@settings(max_examples=examples(40))
@given(data=st.data())
def test_what_changed_in_between_is_not_overlooked(data: st.DataObject) -> None:
    moment = data.draw(st.sampled_from(moments_of_a_read()))
    ion = tenant(40)
    gone = data.draw(st.sets(st.integers(1, 40), max_size=5))
    new = data.draw(st.integers(0, 4))
    ion.rows["parts"] = [row for row in ion.rows["parts"] if row["id"] not in gone]
    ion.rows["parts"] += [part(100 + number) for number in range(new)]
    ion.rows["issueRelations"].pop(data.draw(st.integers(0, 6)))
    rows, results, _ = asyncio.run(resumed_read(ion, moment, ALL))
    found = rows.of("parts", "id")
    assert len(found) == len(set(found)) == results["parts"].rows == results["parts"].total_count
    # Rows added behind an entity that had been read are the next refresh's.
    assert set(found) in ({*ids_of(ion, "parts")}, {row for row in ids_of(ion, "parts") if row <= 40})
    assert sorted(rows.of("part_attributes", "part_id")) == sorted(found)
    assert len(rows.of("issue_relations", "origin_issue_id")) == 6


def test_rows_nested_in_others_are_read_again() -> None:
    selection = ["part_inventories", "abom_installations"]
    lines = [{"id": number, "buildRequirementId": 1, "partInventoryId": number} for number in range(1, 12)]

    def nested(missing: int = 0) -> MiniIon:
        ion = tenant(0, text=sdl(nested=True))
        for unit, line in zip(ion.rows["partInventories"], lines, strict=True):
            unit.update(buildRequirements=[], abomInstallations=[line] if line["id"] != missing else [])
        return ion

    _, moments = asyncio.run(read_through(nested(), selection))
    assert len(moments) == 4
    for moment in moments:
        rows, _, _ = asyncio.run(resumed_read(nested(missing=2), moment, selection))
        assert sorted(rows.of("abom_installations", "id")) == [1, *range(3, 12)]
        assert sorted(rows.of("part_inventories", "id")) == list(range(1, 12))


def test_an_entity_that_turns_out_forbidden_is_forgotten() -> None:
    moments = moments_of_a_read()
    rows, results, _ = asyncio.run(resumed_read(tenant(40, forbidden=frozenset({"parts"})), moments[-1], ALL))
    assert results["parts"].status == "forbidden"
    assert rows.of("parts", "id") == rows.of("part_attributes", "part_id") == []
    assert len(rows.of("part_inventories", "id")) == 11


@given(ids=st.sets(st.integers(1, 60)), cuts=st.sets(st.integers(1, 60), max_size=8), data=st.data())
def test_what_is_left_is_what_no_span_covers(ids: set[int], cuts: set[int], data: st.DataObject) -> None:
    bounds = [None, *sorted(cuts), None]
    entry, read, read_progress = EntityProgress(), set(), ReadProgress()
    for above, until in data.draw(st.permutations(list(pairwise(bounds)))):
        inside = sorted(one for one in ids if one > (above or 0) and one <= (until or 99))
        some = inside[: data.draw(st.integers(0, len(inside)))]
        read_range = entry.open(above)
        read_progress.page(read_range, [{"id": one} for one in some])
        read |= set(some)
        if some == inside and data.draw(st.booleans()):
            read_progress.end(read_range, until)
    left = entry.unread()
    uncovered = {one for one in ids for gap in left if (gap.above or 0) < one <= (gap.until or 99)}
    assert ids - uncovered == read
    assert sum(read_range.rows for read_range in entry.merged()) == entry.rows == len(read)
    ranges = entry.merged()
    assert all(before.upto != after.above for before, after in pairwise(ranges))


def test_nothing_read_leaves_everything_and_everything_leaves_nothing() -> None:
    assert EntityProgress().unread() == [IdRange()]
    assert EntityProgress(ranges=[ReadRange(None)]).unread() == [IdRange()]
    assert EntityProgress(ranges=[ReadRange(None, None, 0, ended=True)]).unread() == []
    assert EntityProgress(ranges=[ReadRange(5, 9, 4, ended=True), ReadRange(None, 5, 5)]).unread() == []
    assert EntityProgress(ranges=[ReadRange(5, 9, 4)]).last is None
    assert EntityProgress(ranges=[ReadRange(5, 9, 4), ReadRange(None, 5, 5)]).last == 9


def test_a_document_says_all_there_is_to_know() -> None:
    read_progress = ReadProgress()
    read_progress.page(read_progress.of("parts").open(None), [{"id": 3}, {"id": 8}])
    read_progress.page(read_progress.of("runs", CLOCK).open(None), [{"id": 2}])
    read_progress.end(read_progress.of("issues").open(None), None)
    again = ReadProgress.read(read_progress.document(), CLOCK)
    assert again.document() == read_progress.document()
    assert {name: (entry.since, entry.merged()) for name, entry in again} == {
        "parts": (None, [ReadRange(None, 8, 2)]),
        "runs": (CLOCK, [ReadRange(None, 2, 1)]),
        "issues": (None, [ReadRange(None, None, 0, ended=True)]),
    }
    again.forget("parts")
    assert "parts" not in again.document()


@pytest.mark.parametrize("parallel", [True, False])
def test_the_second_reading_after_a_doubt_begins_anew(parallel: bool) -> None:
    async def read() -> tuple[Rows, ReadProgress]:
        ion, rows, read_progress = tenant(30), Rows(), ReadProgress()
        # One row goes while the parts are read: what was counted first does not come.
        ion.before = lambda name, number: ion.rows["parts"].pop() and None if (name, number) == ("parts", 3) else None
        async with client_of(ion, max_concurrency=2) as client:
            plan = negotiate(ion.schema, known_catalog(), ["parts"])
            await fetch(client, plan, rows, page_size=4, read_progress=read_progress, parallel=parallel)
        return rows, read_progress

    rows, read_progress = asyncio.run(read())
    assert sorted(rows.of("parts", "id")) == list(range(1, 30))
    assert read_progress.of("parts").merged() == [ReadRange(None, 29, 29, ended=True)]
