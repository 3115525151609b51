"""A key that loses or gains the export group between two refreshes: nothing is deleted or new without a word."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ion_pipeline.extract import SuspiciousDeletesError
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.reconcile import reconcile
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.world import World, write_world
from ion_pipeline.settings import Settings
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import (
    LATER,
    LONG_AGO,
    ChangingWorld,
    Tenant,
    add,
    delete,
    served,
    small_factory,
    update,
)

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
FLAGGED = (50, 120, 300)


class Notes(NullReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def flagged_factory() -> World:
    world = small_factory()
    for row in world.tables["parts"]:
        row["exportControlled"] = row["id"] in FLAGGED
    # A later change, read too: what changed together with the last one may be new.
    world.tables["partInventories"][-1]["_updated"] = LATER
    return world


class Key:
    """A tenant asked with one key, whose owner joins and leaves the export group."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self._folder, self._port, self._settings = folder, 0, settings
        self.world = flagged_factory()
        write_world(self.world, folder / "world")

    @contextmanager
    def asks(self, *, in_group: bool, profile: str = "today") -> Iterator[Tenant]:
        with served(self._folder / "world", profile, self._port, export_group=in_group) as address:
            self._port = int(address.api_url.rpartition(":")[2])
            options = {"entities": ("parts", "part_inventories"), "page_size": 8, **self._settings}
            settings = settings_for(address, self._folder / "data", **options)
            yield Tenant(address, settings, ChangingWorld(self.world))


def known_parts(tenant: Tenant) -> set[int]:
    steps.load(tenant.settings)
    return {row_id for (row_id,) in tenant.query("select id from raw.parts")}


def refresh(settings: Settings, **mode: bool) -> list[str]:
    notes = Notes()
    steps.extract(settings, mode=ReadMode(**mode), reporter=notes)
    return notes.notes


ALL = {10 * number for number in range(1, 31)}
FREE = ALL - set(FLAGGED)


@pytest.mark.parametrize("profile", ["full", "today"])
def test_a_first_read_without_the_group_keeps_the_inventories_without_their_part(tmp_path: Path, profile: str) -> None:
    with Key(tmp_path).asks(in_group=False, profile=profile) as tenant:
        tenant.refresh()
        assert known_parts(tenant) == FREE
        named = {part for (part,) in tenant.query("select part_id from raw.part_inventories")}
        assert named == ALL
        assert reconcile(tenant.settings).drifted == 0
        assert refresh(tenant.settings, full=True) == []


@pytest.mark.parametrize("full", [False, True])
def test_rows_that_a_lost_group_hides_are_not_deleted_without_a_word(tmp_path: Path, full: bool) -> None:
    key = Key(tmp_path)
    with key.asks(in_group=True) as tenant:
        tenant.refresh()
        assert known_parts(tenant) == ALL
    with key.asks(in_group=False) as tenant:
        loads = tenant.loads()
        for mode in ({"full": full}, {"full": full, "afresh": True}):
            with pytest.raises(SuspiciousDeletesError, match="lost the export group") as stopped:
                refresh(tenant.settings, **mode)
        assert "--accept-deletes" in (stopped.value.remedy or "")
        assert tenant.loads() == loads
        assert known_parts(tenant) == ALL
        refresh(tenant.settings, full=full, accept_deletes=True)
        assert known_parts(tenant) == FREE
        refresh(tenant.settings)
    with key.asks(in_group=True) as tenant:
        notes = refresh(tenant.settings)
        assert [note for note in notes if "3 export-controlled rows of parts" in note and "not new in ION" in note]
        assert known_parts(tenant) == ALL
        assert refresh(tenant.settings) == []


def test_a_reconcile_neither_deletes_what_is_hidden_nor_calls_it_drifted(tmp_path: Path) -> None:
    key = Key(tmp_path)
    with key.asks(in_group=True) as tenant:
        tenant.refresh()
    with key.asks(in_group=False) as tenant:
        loads = tenant.loads()
        notes = Notes()
        report = reconcile(tenant.settings, dry_run=True, reporter=notes)
        assert (report.drifted, report.rows) == (0, len(FREE) + 40)
        assert [note for note in notes.notes if "lost the export group" in note and "not counted as drifted" in note]
        # Rows with an old date in place of the hidden ones: the count is the same, and a refresh finds nothing new.
        tenant.change(*(add("parts", id=1000 + n, partNumber=f"N-{n}", _updated=LONG_AGO) for n in range(3)))
        report = reconcile(tenant.settings, dry_run=True)
        assert [(one.entity, one.missing, one.surplus) for one in report.entities if one.drifted] == [("parts", 3, 0)]
        with pytest.raises(SuspiciousDeletesError, match="lost the export group"):
            reconcile(tenant.settings)
        assert tenant.loads() == loads
        assert known_parts(tenant) == ALL
    with key.asks(in_group=True) as tenant:
        # The group is back, before anything was given up: all is as known.
        report = reconcile(tenant.settings)
        assert (report.load_id, report.refreshed, report.drifted) == (None, None, 0)
        assert known_parts(tenant) == ALL


def test_as_many_new_rows_as_hidden_ones_hide_nothing(tmp_path: Path) -> None:
    key = Key(tmp_path, overlap_minutes=0)
    with key.asks(in_group=True) as tenant:
        tenant.refresh()
    with key.asks(in_group=False) as tenant:
        tenant.change(*(add("parts", id=1000 + number, partNumber=f"N-{number}") for number in range(5)))
        with pytest.raises(SuspiciousDeletesError, match="3 of 3 known"):
            refresh(tenant.settings)


def test_a_tenant_that_shows_no_changes_is_asked_too(tmp_path: Path) -> None:
    key = Key(tmp_path)
    with key.asks(in_group=True, profile="no-keyset") as tenant:
        tenant.refresh()
    with key.asks(in_group=False) as tenant, pytest.raises(SuspiciousDeletesError, match="lost the export group"):
        # Asked otherwise than at the last read: all rows are read.
        refresh(tenant.settings)


def test_one_that_is_deleted_while_others_are_shown_is_deleted(tmp_path: Path) -> None:
    with Key(tmp_path).asks(in_group=True) as tenant:
        tenant.refresh()
        tenant.change(delete("parts", 50), delete("parts", 60))
        notes = refresh(tenant.settings)
        assert [note for note in notes if "1 export-controlled rows of parts are gone" in note]
        assert known_parts(tenant) == ALL - {50, 60}


@pytest.mark.parametrize("full", [False, True])
def test_rows_that_are_no_longer_flagged_are_not_gone(tmp_path: Path, full: bool) -> None:
    with Key(tmp_path).asks(in_group=False) as tenant:
        tenant.change(*(update("parts", row_id, exportControlled=False) for row_id in FLAGGED))
        tenant.refresh()
        assert known_parts(tenant) == ALL
    key = Key(tmp_path / "other")
    with key.asks(in_group=True) as tenant:
        tenant.refresh()
        tenant.change(*(update("parts", row_id, exportControlled=False) for row_id in FLAGGED), delete("parts", 60))
        assert [note for note in refresh(tenant.settings, full=full) if "export" in note] == []
        assert known_parts(tenant) == ALL - {60}


def test_a_row_that_comes_under_control_without_the_group_is_taken_as_deleted(tmp_path: Path) -> None:
    with Key(tmp_path).asks(in_group=False) as tenant:
        tenant.refresh()
        tenant.change(update("parts", 10, exportControlled=True))
        refresh(tenant.settings)
        # A row that was flagged cannot be distinguished from one that was deleted: it was not known as controlled.
        assert known_parts(tenant) == FREE - {10}
