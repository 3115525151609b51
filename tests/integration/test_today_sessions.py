"""Today's sessions: a root connection of their own, followed while they are edited, or read with their steps."""

from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.check import check
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.reconcile import reconcile
from ion_pipeline.sandbox.world import World, write_world
from tests.integration.conftest import move_tenant, settings_for
from tests.integration.support.changing_world import add, delete, served, update
from tests.integration.support.tenant import Tenant, contents, running

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

STEPS = 40
LONG_AGO = "2026-03-01T08:00:00.000000+00:00"


def shop_floor(sessions_each: int) -> World:
    """Finished steps with some sessions each, last changed long ago."""
    stamps = {"_created": LONG_AGO, "_updated": LONG_AGO}
    rows: list[dict[str, Any]] = [
        {
            "id": step,
            **stamps,
            "runId": 1,
            "status": "COMPLETE",
            "sessions": [
                {"id": str(100 * step + one), "Created": LONG_AGO, "checkIn": LONG_AGO, "duration": 60.0 * one,
                 "checkOut": "2026-03-01T09:00:00.000000+00:00"}
                for one in range(sessions_each)
            ],
        }
        for step in range(1, STEPS + 1)
    ]  # fmt: skip
    return World(tables={"runs": [{"id": 1, **stamps}], "runSteps": rows})


def sessions_of(tenant: Tenant) -> dict[str, tuple[int, float | None]]:
    return {
        key: (step, hours)
        for key, step, hours in tenant.query("select id, run_step_id, duration from raw.run_step_sessions")
    }


# Few sessions are compared together with the counts, many in ranges of ids.
@pytest.mark.parametrize("sessions_each", [3, 15])
def test_sessions_on_finished_steps_are_followed(sessions_each: int, tmp_path: Path) -> None:
    write_world(shop_floor(sessions_each), tmp_path / "world")
    planted = {
        str(100 * step + one): (step, 60.0 * one) for step in range(1, STEPS + 1) for one in range(sessions_each)
    }
    with running(tmp_path / "world", tmp_path, "today", entities=("run_steps",)) as tenant:
        assert sessions_of(tenant) == planted
        assert tenant.refresh().load_id is None

        tenant.change(
            update("sessions", 702, duration=4711.0),
            update("sessions", 801, runStepId=9),
            delete("sessions", 902),
            add("sessions", id=99_999, runStepId=3, Created=LONG_AGO, checkIn=LONG_AGO, duration=5.0),
        )
        report = tenant.refresh()
        planted |= {"702": (7, 4711.0), "801": (9, 60.0), "99999": (3, 5.0)}
        del planted["902"]
        assert sessions_of(tenant) == planted
        results = {result.entity: result for result in report.entities}
        assert results["run_steps"].status == "unchanged"
        read = results["run_step_sessions"]
        assert (read.strategy, read.rows, read.deleted, read.total_count) == ("incremental", 3, 1, len(planted))
        versions = tenant.query(
            "select id, run_step_id, duration, is_current from raw_history.run_step_sessions "
            "where id in ('702', '801', '902', '703') order by id, valid_from, is_current"
        )
        assert versions[:6] == [
            ("702", 7, 120.0, False),
            ("702", 7, 4711.0, True),
            *([("703", 7, 180.0, True)] if sessions_each > 3 else []),
            ("801", 8, 60.0, False),
            ("801", 9, 60.0, True),
            ("902", 9, 120.0, False),
        ]  # fmt: skip
        assert tenant.refresh().load_id is None
        assert tenant.differences() == []


def test_a_tenant_that_gains_the_root_of_sessions_keeps_its_table(tmp_path: Path) -> None:
    write_world(shop_floor(3), tmp_path / "world")
    with running(tmp_path / "world", tmp_path / "nested", entities=("run_steps",)) as tenant:
        nested, kept = contents(tenant.settings), tenant.settings.data_dir
    assert len(nested["run_step_sessions"]) == 3 * STEPS
    with running(tmp_path / "world", tmp_path / "root", "today", entities=("run_steps",), read_before=kept) as tenant:
        report = tenant.refresh()
        assert {result.entity for result in report.entities} == {"run_steps", "run_step_sessions"}
        assert contents(tenant.settings) == nested
        assert tenant.query("select count(*) from raw_history.run_step_sessions where not is_current") == [(0,)]
        tenant.change(update("sessions", 702, duration=4711.0))
        tenant.refresh()
        assert sessions_of(tenant)["702"] == (7, 4711.0)
        assert tenant.differences() == []


class Notes(NullReporter):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def test_a_key_that_may_not_read_the_root_of_sessions_gets_them_with_their_steps(tmp_path: Path) -> None:
    write_world(shop_floor(3), tmp_path / "world")
    planted = {str(100 * step + one): (step, 60.0 * one) for step in range(1, STEPS + 1) for one in range(3)}
    with served(tmp_path / "world", "today", forbid=("sessions",)) as address:
        settings = settings_for(address, tmp_path / "data", entities=("run_steps",), page_size=50)
        tenant, notes = Tenant(address, settings, tmp_path), Notes()
        report = steps.extract(settings, reporter=notes)
        steps.load(settings)
        assert [(result.entity, result.status) for result in report.entities] == [("run_steps", "read")]
        assert len([note for note in notes.notes if "sessions: run_step_sessions is read with run_steps" in note]) == 1
        assert sessions_of(tenant) == planted
        assert tenant.refresh().load_id is None
        checked = check(settings)
        assert [(one.entity, one.status, one.paging) for one in checked.entities] == [
            ("run_steps", "readable", "keyset"), ("run_step_sessions", "readable", "nested"),
        ]  # fmt: skip
        assert checked.is_complete
        # Alone it is for a reconcile, with its step it is followed.
        tenant.change(update("sessions", 801, duration=4712.0))
        assert tenant.refresh().load_id is None
        reconcile(settings)
        steps.load(settings)
        assert sessions_of(tenant) == planted | {"801": (8, 4712.0)}
        tenant.change(update("sessions", 702, duration=4711.0), update("runSteps", 7, touch=True, title="again"))
        tenant.refresh()
        assert sessions_of(tenant) == planted | {"702": (7, 4711.0), "801": (8, 4712.0)}
        nested = contents(settings)
    # A key that may read it: the same rows.
    with served(tmp_path / "world", "today") as address:
        move_tenant(settings.data_dir, address)
        settings = settings_for(address, settings.data_dir, entities=("run_steps",), page_size=50)
        tenant = Tenant(address, settings, tmp_path)
        tenant.change(update("sessions", 702, duration=4711.0), update("runSteps", 7, touch=True, title="again"))
        tenant.change(update("sessions", 801, duration=4712.0))
        report = tenant.refresh()
        assert "run_step_sessions" in {result.entity for result in report.entities}
        assert len(contents(settings)["run_step_sessions"]) == len(nested["run_step_sessions"]) == len(planted)
        assert sessions_of(tenant) == planted | {"702": (7, 4711.0), "801": (8, 4712.0)}
