"""Rows that ION may hold and nobody expects, all in one world: everything is published, and each is reported."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.pipeline import dbt, steps
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import served
from tests.oracle.measured import MeasuredWorld, at
from tests.oracle.world import write_world_dir

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

DEPTH = 256
CHAIN = 300
NEVER = datetime(9999, 12, 31, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Built:
    """The published file, what dbt warned of, and where the odd rows are."""

    published: Path
    warnings: frozenset[str]
    fields: dict[str, int]
    chains: dict[int, list[int]]
    ring: tuple[int, int]

    def ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.published), read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()


def odd_world(builder: MeasuredWorld) -> tuple[dict[str, int], dict[int, list[int]], tuple[int, int]]:
    """Add the odd rows; gives the fields by name, the chains by length, and the lots split from each other."""
    fields = {
        "fractions": builder.series("fractions", [0.3, 0.1 + 0.2] * 15, [("at least", 0.0), ("at most", 1.0)]),
        "zero mean": builder.series("zero mean", [-1000.1, 1000.1, 0.3, -0.1, -0.2] * 6, [("at least", -3000.0)]),
        "constant": builder.series("constant", [5.0] * 30 + [9.0] * 10),
        "swapped": builder.series("swapped", [1.0, 2.0, 3.0], [("at least", 3.0), ("at most", 1.0)]),
        "unreadable": builder.series("unreadable", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        "huge": builder.series("huge", [1e149, -1e149, 1e-300, 1e149]),
    }
    texts = iter(["Infinity", "1e999", "NaN", "1_000"])
    for row in builder.world["runStepFields"]:
        if row["originFieldId"] == fields["unreadable"] and row["value"] > 2.0:
            row["value"] = next(texts)

    step = builder.step("dates")
    builder.run_step(step, at(0), issues=3)
    for issue, created in zip(
        builder.world["issues"], [f"{day}T12:00:00+00:00" for day in ("2005-03-01", "0001-01-01", "2199-01-01")],
        strict=True,
    ):  # fmt: skip
        issue["_created"] = issue["_updated"] = created
    builder.run_step(step, NEVER, status="FAILED")

    lot = builder.part("LOT")
    ring = builder.unit(lot, 5), builder.unit(lot, 7)
    for one, other in (ring, ring[::-1]):
        builder.world["partInventories"][one - 1]["originPartInventoryId"] = other
    run = builder.add(
        "runs", entityId=1, title="ring", procedureId=step, partId=lot, partInventoryId=ring[0], quantity=5,
        status="COMPLETE", archived=False,
    )  # fmt: skip
    builder.add(
        "runSteps", entityId=1, runId=run, originStepId=step, title="dates", status="COMPLETE", type="CONTENT",
        position=0, startTime="2026-01-01T00:00:00+00:00", endTime=NEVER.isoformat(), isStandardStep=False,
        displayPdf=False,
    )  # fmt: skip

    part = builder.part()
    chains = {length: [builder.unit(part) for _ in range(length)] for length in (70, CHAIN)}
    for chain in chains.values():
        for parent, child in pairwise(chain):
            builder.put(parent, child)
    return fields, chains, ring


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Built:
    builder = MeasuredWorld()
    fields, chains, ring = odd_world(builder)
    world = write_world_dir(builder.world, tmp_path_factory.mktemp("odd-world"))
    data_dir = tmp_path_factory.mktemp("odd")
    rendered(data_dir)
    with served(world, "full") as sandbox:
        settings = settings_for(sandbox, data_dir)
        steps.extract(settings)
    steps.load(settings)
    report = dbt.build_pending(settings)
    steps.publish(settings)
    return Built(
        data_dir / "published" / "ion.duckdb",
        frozenset(node.unique_id for node in report.warnings),
        fields,
        chains,
        ring,
    )


def capability(built: Built, field: str, columns: str) -> tuple[Any, ...]:
    [row] = built.ask(
        f"select {columns} from quality.process_capability where step_field_id = ?",  # noqa: S608 -- our own columns
        built.fields[field],
    )
    return row


def test_fractions_that_a_computer_lacks_are_no_variation(built: Built) -> None:
    assert capability(built, "fractions", "measurement_count, sigma_within, sigma_overall, cpk, is_in_control") == (
        30, None, None, None, True,
    )  # fmt: skip


def test_a_mean_of_zero_is_published(built: Built) -> None:
    mean, small = capability(built, "zero mean", "mean, mean_moving_range > 1000")
    assert (mean, small) == (pytest.approx(0, abs=1e-10), False)


def test_numbers_that_are_none_are_counted(built: Built) -> None:
    assert capability(built, "unreadable", "measurement_count, unreadable_count, mean") == (2, 4, 1.5)
    assert capability(built, "huge", "measurement_count, unreadable_count") == (4, 0)


def test_a_shift_from_no_variation_alarms(built: Built) -> None:
    broken = built.ask(
        """select point_number from quality.control_chart_points
        where chart_type = 'individuals' and step_field_id = ? and len(rules_broken) > 0 order by point_number""",
        built.fields["constant"],
    )
    assert [number for (number,) in broken] == list(range(31, 41))


def test_swapped_limits_are_named(built: Built) -> None:
    assert capability(built, "swapped", "has_swapped_limits, cp, cpk, pp, ppk") == (True, None, None, None, None)
    assert any("limits_swapped" in warning for warning in built.warnings)


def test_issues_before_and_after_the_calendar_are_in_the_backlog(built: Built) -> None:
    first, last, opened = built.ask(
        "select min(day_on), max(day_on), sum(opened_count) from quality.issue_backlog_daily"
    )[0]
    assert (first.year, opened) == (1970, 3)
    assert built.ask("select open_count from quality.issue_backlog_daily where day_on = ?", last) == [(3,)]
    on = datetime(2005, 3, 1, tzinfo=UTC).date()
    assert built.ask("select opened_count, open_count from quality.issue_backlog_daily where day_on = ?", on) == [
        (1, 2)
    ]


def test_lots_split_from_each_other_count_once(built: Built) -> None:
    assert any("splits_in_a_ring" in warning for warning in built.warnings)
    [(part,)] = built.ask(
        "select part_number from reference.part_inventories where part_inventory_id = ?", built.ring[0]
    )
    assert built.ask(
        "select sum(quantity_started) from quality.defect_rates where part_number = ?", part
    ) == [(12.0,)]  # fmt: skip


def test_a_chain_is_published_whole_up_to_the_depth_and_reported_beyond(built: Built) -> None:
    depths = dict(
        built.ask(
            """select root_part_inventory_id, max(depth) from genealogy.abom_hierarchy
            where root_part_inventory_id in (?, ?) group by all""",
            built.chains[70][0],
            built.chains[CHAIN][0],
        )
    )
    assert depths == {built.chains[70][0]: 69, built.chains[CHAIN][0]: DEPTH + 1}
    cut = built.ask("select part_inventory_id from genealogy.genealogy_anomalies where anomaly = 'tree_cut_off'")
    # The trees of the first units are cut; the one before the last of the chain holds the last unit.
    assert {unit for (unit,) in cut} == set(built.chains[CHAIN][DEPTH + 1 : -1])
    assert any("int_abom__assembly_paths_stays_below_cap" in warning for warning in built.warnings)


def test_a_tree_that_is_cut_off_is_like_no_other(built: Built) -> None:
    chain = built.chains[CHAIN]
    hashes = dict(built.ask("select part_inventory_id, configuration_hash from genealogy.abom_configurations"))
    said = {unit for unit in chain[:-1] if hashes[unit].startswith("cut off: ")}
    assert said == set(chain[: CHAIN - DEPTH - 2])
    assert len({hashes[unit] for unit in chain[:-1]}) == CHAIN - 1
