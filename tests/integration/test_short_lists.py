"""Changes that show by etags alone, where the tenant gives fewer rows at once than the list of etags has.

The expected state is a plain dictionary that receives the same changes as the tenant.
"""

from pathlib import Path

import duckdb
import httpx
import pytest

from ion_pipeline.pipeline import steps
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.sandbox.world import World, write_world
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import Change, add, delete, serving, update

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
ROOT = "validationFunctions"
STAMP = "2026-03-01T08:00:00.000000+00:00"
WORK: list[list[Change]] = [
    [update(ROOT, 1490, functionName="the last but one")],
    # One row for another: the count stays the same.
    [delete(ROOT, 10), add(ROOT, id=2000, functionName="new")],
    [delete(ROOT, 700), *(add(ROOT, id=2010 + number, functionName=f"new {number}") for number in range(30))],
    [update(ROOT, 10 * number, functionName=f"changed {number}") for number in range(20, 70)],
]


@pytest.mark.parametrize(
    "limit",
    [
        {"max_first": 50},
        {"cap_first": 50},
        {"cap_first": 7},
        {"max_cost": 250},
    ],
)
def test_a_list_of_etags_longer_than_a_page_is_compared_whole(tmp_path: Path, limit: dict[str, int]) -> None:
    rows = [
        {"id": 10 * number, "functionName": f"check {number}", "_created": STAMP, "_updated": STAMP}
        for number in range(1, 151)
    ]
    truth = {row["id"]: row["functionName"] for row in rows}
    write_world(World(tables={ROOT: rows}), tmp_path / "world")
    app = build_app(SandboxOptions(world=tmp_path / "world", profile="today", **limit), "a secret")
    with serving(app.asgi) as address:
        settings = settings_for(
            address, tmp_path / "data", entities=("validation_functions",), page_size=100, max_deleted_share=0.5
        )
        steps.extract(settings)
        steps.load(settings)
        for work in WORK:
            httpx.post(f"{address.api_url}/_sandbox/changes", json=work).raise_for_status()
            for change in work:
                if change["op"] == "delete":
                    del truth[change["id"]]
                else:
                    values = change.get("values") or change["row"]
                    truth[change.get("id", values.get("id"))] = values["functionName"]
            steps.extract(settings)
            steps.load(settings)
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as raw:
                kept = raw.execute("select id, function_name from raw.validation_functions").fetchall()
            assert dict(kept) == truth
    assert app.stats.limited
