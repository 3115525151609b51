"""A plant that works while it is read: after each refresh the warehouse has the rows that the plant has."""

import itertools
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ion_pipeline.catalog import known_catalog
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import serving
from tests.integration.support.tenant import Tenant

pytestmark = pytest.mark.slow
TICKS = 60
#: The entities that the plant works on, and that the test reads.
READ = ("runs", "runSteps", "runStepFields", "abomInstallations", "issues", "purchaseOrders", "receiptItems")


@pytest.mark.parametrize("profile", ["today", pytest.param("generation-2", marks=pytest.mark.exhaustive)])
def test_refreshes_of_a_plant_at_work(tmp_path: Path, profile: str) -> None:
    options = SandboxOptions(scale=0.1, profile=profile, day_minutes=1.0)
    app = build_app(options, "a secret")
    entities = {entity.root_field: entity.name for entity in known_catalog().entities.values()}
    plant, kinds = app.plant, Counter[str]()
    assert plant
    with serving(app.asgi) as address:
        settings = settings_for(address, tmp_path / "data", entities=tuple(entities[root] for root in READ))
        tenant = Tenant(address, settings, tmp_path)
        assert tenant.refresh().load_id
        for number in itertools.count(1):
            tick = plant.tick(datetime.now(UTC))
            app.changes.post(tick.changes)
            kinds.update(f"{change['op']} {change['entity']}" for change in tick.changes)
            if number % TICKS == 0:
                report = tenant.refresh()
                assert report.load_id
                assert report.rows < 2_000, "only what is new"
            if number > TICKS and tick.ends_day:
                break
        tenant.refresh()
        assert tenant.differences() == []
    wanted = ("add runs", "add abomInstallations", "add purchaseOrders", "add receipts", "update issues")
    assert {kind: kinds[kind] for kind in wanted if not kinds[kind]} == {}
    # Rows of the factory itself, which the sandbox's copies were made from by the changes alone.
    work = plant.factory.store.tables()
    for root in READ:
        assert tenant.ids(entities[root]) == sorted(row["id"] for row in work[root])
    steps = tenant.query("select id, status from raw.run_steps order by id")
    assert steps == sorted((row["id"], row["status"]) for row in work["runSteps"])
    values = tenant.query("select id, valid from raw.run_step_fields order by id")
    assert values == sorted((row["id"], row["valid"]) for row in work["runStepFields"])
