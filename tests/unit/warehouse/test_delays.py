"""A load counts its changes by the time since ION dates them, against the same in plain Python."""

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.lake import LoadManifest
from ion_pipeline.lake.manifest import ClockRecord
from ion_pipeline.warehouse import note_published
from ion_pipeline.warehouse.connection import connect
from ion_pipeline.warehouse.delays import committed_by_ions_clock
from tests.unit.warehouse.support import START, House

NOW = datetime.now(UTC)
#: Ages of changes in seconds, some of which round up to the same two digits.
AGES = (-3600, 0.5, 99, 99.5, 100, 101, 109, 8_640, 86_400 * 400)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def things(*updated: datetime | None, name: str = "") -> list[dict[str, Any]]:
    return [{"id": number, "name": name, "_updated": instant} for number, instant in enumerate(updated)]


def found(house: House, manifest: LoadManifest) -> dict[float, int]:
    return dict(
        house.query(
            "select delay_seconds, changes from raw._ion_load_delays "  # noqa: S608 -- our own id
            f"where load_id = '{manifest.load_id}' and table_name = 'things' and entity = 'things'"
        )
    )


def rounded(seconds: float) -> float:
    """Rounded up to two digits, by counting digits; whole seconds where there are no more."""
    whole = math.ceil(max(0, seconds))
    unit = 10 ** max(0, len(str(math.floor(max(0, seconds)))) - 2)
    return -(-whole // unit) * unit


def test_changes_are_counted_by_their_delay(house: House) -> None:
    house.write({"things": things(*[START] * len(AGES))})
    assert house.load().rows_changed == len(AGES)
    changed = [NOW - timedelta(seconds=age) for age in AGES]
    manifest = house.write({"things": things(*changed)}, strategy="incremental")
    house.load()
    expected = Counter(rounded((manifest.committed_at - instant).total_seconds()) for instant in changed)
    assert max(expected.values()) > 1
    assert found(house, manifest) == expected


def test_what_ion_does_not_date_has_no_delay(house: House) -> None:
    """A first load, a change under the same date or none, and a delete; a new row has one."""
    first = house.write({"things": things(NOW, NOW, None)})
    undated = house.write({"things": things(NOW, None, None, name="other")}, strategy="incremental")
    gone = house.write({}, strategy="incremental", gone={"things": [{"id": 0}]})
    new = house.write({"things": [{"id": 9, "_updated": NOW}]}, strategy="incremental")
    house.load()
    assert [found(house, load) for load in (first, undated, gone)] == [{}, {}, {}]
    assert sum(found(house, new).values()) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(minutes=-5), timedelta()])
def test_a_commit_is_dated_by_ions_clock(house: House, ahead: timedelta) -> None:
    manifest = house.write({"things": things(NOW)})
    dated = replace(manifest, clock=ClockRecord(ion=START + ahead, machine=START))
    assert committed_by_ions_clock(dated) == manifest.committed_at + ahead
    assert committed_by_ions_clock(manifest) == manifest.committed_at


def test_a_load_is_published_once(house: House) -> None:
    """By the first publish that has it."""
    loads = [house.write({"things": things(NOW, name=str(number))}).load_id for number in range(3)]
    house.load()
    with connect(house.database) as connection:
        note_published(connection, loads[1], NOW)
        note_published(connection, loads[1], NOW + timedelta(hours=1))
    assert house.query("select load_id, published_at from raw._ion_loads order by 1") == [
        (loads[0], NOW),
        (loads[1], NOW),
        (loads[2], None),
    ]
