"""A tenant that was restored to an older state, or filled anew: no refresh mixes two states."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.extract import TenantRestoredError
from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from tests.integration.conftest import Built, move_tenant, settings_for
from tests.integration.support.changing_world import (
    LATER,
    LONG_AGO,
    Tenant,
    changing_tenant,
    delete,
    serving,
    update,
)

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

MIDDAY = "2026-03-01T12:00:00.000000+00:00"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with changing_tenant(tmp_path) as tenant:
        tenant.refresh()
        yield tenant


def restore(tenant: Tenant) -> None:
    """One edit is taken back, as by a backup from before it."""
    tenant.change(update("parts", 10, partNumber="edited"))
    tenant.refresh()
    tenant.change(update("parts", 10, partNumber="P-1", _updated=LONG_AGO))


def fill_anew(tenant: Tenant) -> None:
    """The same ids with other contents, none of them dated to after the last read."""
    for number in range(1, 31):
        tenant.change(update("parts", 10 * number, partNumber=f"other {number}", _updated=MIDDAY))
    for number in range(1, 41):
        tenant.change(update("partInventories", 10 * number, serialNumber=f"other {number}", _updated=MIDDAY))
    for number in range(1, 36):
        tenant.change(update("abomInstallations", 10 * number, quantity=number + 1000, _updated=MIDDAY))
    for number in range(1, 7):
        tenant.change(update("labels", 10 * number, value=f"other {number}", _updated=LATER))


@pytest.mark.parametrize(
    ("happens", "answer"),
    [
        (restore, {"full": True}),
        (fill_anew, {"accept_deletes": True}),
        (restore, {"accept_deletes": True}),
        (fill_anew, {"full": True}),
    ],
)
def test_two_states_are_never_mixed(tenant: Tenant, happens: object, answer: dict[str, bool]) -> None:
    happens(tenant)  # type: ignore[operator]
    loads = tenant.loads()
    for attempt in (tenant.refresh, tenant.reconcile):
        with pytest.raises(TenantRestoredError, match=r"older rows than before.*refresh --full"):
            attempt()
    assert tenant.loads() == loads
    assert tenant.reconcile(dry_run=True).drifted > 0
    tenant.refresh(**answer)
    assert tenant.differences() == []
    assert tenant.refresh().load_id is None


def test_an_edit_taken_back_is_seen_behind_rows_that_are_gone(tenant: Tenant) -> None:
    """More rows than a sample holds were changed after the one that is older now, and are gone."""
    tenant.change(update("parts", 10, partNumber="edited"))
    tenant.change(*(update("parts", 10 * number, partNumber=f"new {number}") for number in range(2, 10)))
    tenant.refresh()
    tenant.change(
        update("parts", 10, partNumber="P-1", _updated=LONG_AGO),
        *(delete("parts", 10 * number) for number in range(2, 10)),
    )
    with pytest.raises(TenantRestoredError, match="1 of parts"):
        tenant.refresh()


def test_ordinary_work_is_no_restore(tenant: Tenant) -> None:
    """The rows that changed last are deleted, edited again, and silently another, and none of it stops a refresh."""
    for number in range(1, 5):
        tenant.change(update("parts", 10 * number, partNumber=f"edited {number}"))
        tenant.refresh()
        tenant.change(
            delete("parts", 10 * number),
            update("partInventories", 10 * number, quantity=number),
            delete("abomInstallations", 10 * number),
            update("buildRequirements", 10 * number, quantity=number, _updated=LONG_AGO),
        )
        tenant.refresh()
    tenant.reconcile()
    assert tenant.differences() == []


def test_other_factories_under_the_same_ids_are_built(demo_warehouse: Built, tmp_path: Path) -> None:
    """The history then has versions of other runs, rows that came back, and attempts that ended before earlier ones."""
    shutil.copytree(demo_warehouse.data_dir, tmp_path, symlinks=True, dirs_exist_ok=True)
    for seed, scale in ((8, 0.05), (9, 0.3)):
        with serving(build_app(SandboxOptions(seed=seed, scale=scale), "a secret").asgi) as sandbox:
            move_tenant(tmp_path, sandbox)
            settings = settings_for(sandbox, tmp_path)
            steps.extract(settings, mode=ReadMode(full=True, accept_deletes=True, afresh=True))
        steps.load(settings)
    # Raises where a blocking test fails.
    dbt.build_pending(settings)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        for planted in (
            "intermediate.int_production__step_attempts where ended_at < previous_ended_at",
            "production.run_steps where started_at is null and first_attempt_ended_at is not null",
            "raw_history.run_steps as later inner join raw_history.run_steps as earlier using (id) "
            "group by later.id, later.valid_from "
            "having max(earlier.valid_to) filter (where earlier.valid_from < later.valid_from) < later.valid_from",
        ):
            assert connection.execute(f"select 1 from {planted} limit 1").fetchall(), planted  # noqa: S608 -- our own
