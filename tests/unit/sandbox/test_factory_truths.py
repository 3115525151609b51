"""Every planted truth is compared with a naive walk over the rows."""

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from typing import Any

import networkx
import pytest

from tests.unit.sandbox.factory_worlds import by_id, edges, explode, graph, small_factory

WORLD = small_factory()
TRUTHS: dict[str, Any] = WORLD.truths
UNITS = by_id(WORLD, "partInventories")
NUMBERS = {row["id"]: row["partNumber"] for row in WORLD.tables["parts"]}


def _installed() -> set[int]:
    return {child for _, child, _, _ in edges(WORLD)}


@pytest.mark.parametrize("splits", [True, False])
def test_contaminated_lot(splits: bool) -> None:
    truth = TRUTHS["contaminated_lot"]
    lots = [
        row["id"]
        for row in UNITS.values()
        if row.get("lotNumber") == truth["lot_number"] and NUMBERS[row["partId"]] == truth["part_number"]
    ]
    assert sorted(lots) == sorted([truth["part_inventory_id"], *truth["split_part_inventory_ids"]])
    chosen = lots if splits else [truth["part_inventory_id"]]
    affected = set().union(*(networkx.ancestors(graph(WORLD), lot) for lot in chosen))
    suffix = "" if splits else "_without_splits"
    assert truth[f"affected_unit_ids{suffix}"] == sorted(affected)
    assert truth[f"affected_top_level_unit_ids{suffix}"] == sorted(affected - _installed())
    assert len(truth[f"affected_top_level_unit_ids{suffix}"]) >= 3


def test_known_tree() -> None:
    truth = TRUTHS["known_tree"]
    expected = Counter(
        (tuple(row["path_ids"]), row["part_inventory_id"], row["quantity_installed"], row["quantity_extended"])
        for row in truth["rows"]
    )
    assert Counter(explode(WORLD, truth["root_part_inventory_id"])) == expected
    assert max(row["depth"] for row in truth["rows"]) == 3
    assert any(row["quantity_extended"] not in (0.0, float(int(row["quantity_extended"]))) for row in truth["rows"])


def test_where_used() -> None:
    truth = TRUTHS["where_used"]
    paths = [
        row
        for row in explode(WORLD, truth["ancestor_part_inventory_id"])
        if row[1] == truth["component_part_inventory_id"]
    ]
    assert len(paths) == truth["path_count"]
    assert min(len(path) - 1 for path, *_ in paths) == truth["min_depth"]
    assert sum(extended for *_, extended in paths) == pytest.approx(truth["quantity_extended"])


def _lines(unit: int) -> Counter[tuple[str, str, str, float]]:
    """Lines below a unit as (where, part, revision, pieces), by part and not by serial."""
    parts = by_id(WORLD, "parts")
    lines: Counter[tuple[str, str, str, float]] = Counter()

    def label(inventory: int) -> tuple[str, str]:
        part = parts[UNITS[inventory]["partId"]]
        return part["partNumber"], part["revision"]

    for path, child, quantity, _ in explode(WORLD, unit)[1:]:
        where = " > ".join(label(step)[0] for step in path[: -1 if child else None])
        lines[(where, *(label(child) if child else ("open", "")), quantity)] += 1
    return lines


def test_sisters_differ_by_the_known_lines_only() -> None:
    truth = TRUTHS["sisters"]
    a, b = _lines(truth["unit_a"]), _lines(truth["unit_b"])
    assert a - b == Counter({
        ("PLT-TOP", "PLT-BOLT", "A", 8.0): 1, ("PLT-TOP", "PLT-SENSOR", "B", 1.0): 1,
        ("PLT-TOP", "PLT-TAG", "A", 1.0): 2, ("PLT-TOP > PLT-SUB", "PLT-BOLT", "A", 4.0): 1,
    })  # fmt: skip
    assert b - a == Counter({
        ("PLT-TOP", "PLT-BOLT-ALT", "A", 8.0): 1, ("PLT-TOP", "PLT-SENSOR", "A", 1.0): 1,
        ("PLT-TOP", "PLT-BOLT", "A", 1.0): 1, ("PLT-TOP", "open", "", 0.0): 1,
        ("PLT-TOP > PLT-SUB", "PLT-BOLT", "A", 3.0): 1,
    })  # fmt: skip
    assert len(truth["differences"]) == 6


def test_shared_requirement_shows_in_each_unit() -> None:
    truth = TRUTHS["shared_requirement"]
    parents = [parent for parent, _, _, row in edges(WORLD) if row["id"] == truth["abom_installation_id"]]
    assert sorted(parents) == truth["parent_part_inventory_ids"]
    assert len(parents) == 2


def test_cycles() -> None:
    truth = TRUTHS["cycles"]
    whole = graph(WORLD)
    members = [
        sorted(component)
        for component in networkx.strongly_connected_components(whole)
        if len(component) > 1 or whole.has_edge(*[next(iter(component))] * 2)
    ]
    assert sorted(members) == sorted(truth["members"])
    of = {unit: place for place, component in enumerate(members) for unit in component}
    inside = sorted(row["id"] for parent, child, _, row in edges(WORLD) if parent in of and of[parent] == of.get(child))
    assert inside == truth["quarantined_installation_ids"]
    standing = {row["id"]: (parent, child) for parent, child, _, row in edges(WORLD) if row["id"] not in inside}
    assert set(truth["standing_installation_ids"]) <= set(standing)
    assert {standing[row][0] for row in truth["standing_installation_ids"]} > {truth["unit_above"]}
    left = networkx.DiGraph(standing.values())
    lot = next(unit for unit in truth["members"][1] if UNITS[unit].get("lotNumber"))
    assert sorted(networkx.ancestors(left, lot)) == truth["ancestors_of_the_lot"]


def test_anomalies() -> None:
    twice = Counter(row["partInventoryId"] for row in WORLD.tables["abomInstallations"])
    serials = [unit for unit, count in twice.items() if count > 1 and UNITS[unit].get("serialNumber")]
    assert serials == [TRUTHS["serial_installed_twice"]["part_inventory_id"]]
    scrapped = [unit for unit in twice if UNITS[unit]["status"] == "SCRAPPED"]
    assert scrapped == [TRUTHS["installed_while_scrapped"]["part_inventory_id"]]
    known = by_id(WORLD, "buildRequirements")
    orphans = [row["id"] for row in WORLD.tables["abomInstallations"] if row["buildRequirementId"] not in known]
    assert orphans == TRUTHS["installation_without_requirement"]["abom_installation_ids"]
    pieces: Counter[int] = Counter()
    for row in WORLD.tables["abomInstallations"]:
        pieces[row["partInventoryId"]] += row["quantity"]
    over = [unit for unit in pieces if UNITS[unit].get("lotNumber") and pieces[unit] > UNITS[unit]["quantity"] + 1e-6]
    assert over == [TRUTHS["lot_over_installed"]["part_inventory_id"]]
    late = TRUTHS["child_newer_than_completion"]
    assert late["parent_completed_at"] < UNITS[late["child_part_inventory_id"]]["_created"]


def test_conformance_has_every_status_and_its_numbers() -> None:
    truth = TRUTHS["conformance"]
    assert {line["status"] for line in truth["lines"]} == {
        "conforming", "conforming_substitute", "conforming_revision", "short", "over", "missing", "unplanned",
        "wrong_part", "designator_mismatch",
    }  # fmt: skip
    items = by_id(WORLD, "mbomItems")
    pieces: Counter[int] = Counter()
    for row in WORLD.tables["abomInstallations"]:
        pieces[row["buildRequirementId"]] += row["quantity"]
    for line in truth["lines"]:
        assert pieces[line["build_requirement_id"]] == line["quantity_installed"]
        if line["mbom_item_id"] is not None:
            assert items[line["mbom_item_id"]]["quantity"] == line["quantity_planned"]


def _first_breaks(points: list[float], mean: float, sigma: float) -> dict[str, int]:
    """The first index at which each Western Electric and Nelson rule is broken, according to its text."""
    z = [(point - mean) / sigma for point in points]
    first: dict[str, int] = {}
    for i in range(len(z)):
        broken = {"W1": abs(z[i]) > 3, "N1": abs(z[i]) > 3}

        def back(count: int, end: int = i) -> list[float]:
            return z[end - count + 1 : end + 1] if end >= count - 1 else []

        for side in (1, -1):
            for name, count, need, beyond in (("W2", 3, 2, 2), ("W3", 5, 4, 1), ("N5", 3, 2, 2), ("N6", 5, 4, 1)):
                broken[name] = broken.get(name, False) or sum(side * x > beyond for x in back(count)) >= need
            for name, count in (("W4", 8), ("N2", 9)):
                window = back(count)
                broken[name] = broken.get(name, False) or (bool(window) and all(side * x > 0 for x in window))
            rising = [side * (after - before) > 0 for before, after in pairwise(back(6))]
            broken["N3"] = broken.get("N3", False) or (bool(rising) and all(rising))
        steps = [after - before for before, after in pairwise(back(14))]
        broken["N4"] = bool(steps) and all(one * other < 0 for one, other in pairwise(steps))
        broken["N7"] = bool(back(15)) and all(abs(x) < 1 for x in back(15))
        broken["N8"] = bool(back(8)) and all(abs(x) > 1 for x in back(8))
        for name, is_broken in broken.items():
            if is_broken:
                first.setdefault(name, i)
    return first


def test_process_shift() -> None:
    truth = TRUTHS["process_shift"]
    fields = by_id(WORLD, "runStepFields")
    points = [fields[field]["value"] for field in truth["run_step_field_ids"]]
    found = [
        row["id"]
        for row in sorted(WORLD.tables["runStepFields"], key=lambda row: (row["_updated"], row["id"]))
        if row["originFieldId"] == truth["step_field_id"]
    ]
    assert found == truth["run_step_field_ids"]
    baseline = points[: truth["baseline_points"]]
    mean = sum(baseline) / len(baseline)
    moving = sum(abs(after - before) for before, after in pairwise(baseline)) / (len(baseline) - 1)
    assert mean == pytest.approx(truth["baseline_mean"], abs=1e-9)
    assert moving == pytest.approx(truth["baseline_mean_moving_range"], abs=1e-9)
    expected = {f"W{rule}": index for rule, index in truth["first_break_index"]["western_electric"].items()}
    expected |= {f"N{rule}": index for rule, index in truth["first_break_index"]["nelson"].items()}
    assert _first_breaks(points, mean, moving / 1.128) == expected
    assert min(expected.values()) > truth["first_shifted_index"]


def test_yields() -> None:
    truth = TRUTHS["yields"]
    runs = {row["id"]: row for row in WORLD.tables["runs"] if row["procedureId"] == truth["procedure_id"]}
    redlined = {row["stepId"] for row in WORLD.tables["redlines"]}
    with_issue = {row.get("runStepId") for row in WORLD.tables["issues"]}
    fields = {row["id"]: row["runStepId"] for row in WORLD.tables["runStepFields"]}
    failing = {
        fields[row["runStepFieldId"]] for row in WORLD.tables["runStepFieldValidations"] if row["result"] == "FAIL"
    }
    first: dict[tuple[int, int], dict[str, Any]] = {}
    for step in sorted(WORLD.tables["runSteps"], key=lambda row: (row.get("startTime") or "9", row["id"])):
        if step["runId"] in runs and step["status"] in ("COMPLETE", "FAILED"):
            first.setdefault((runs[step["runId"]]["partInventoryId"], step["originStepId"]), step)
    passed: defaultdict[int, list[bool]] = defaultdict(list)
    for (_, origin), step in first.items():
        clean = step["id"] not in redlined | with_issue | failing
        passed[origin].append(step["status"] == "COMPLETE" and clean)
    rty = 1.0
    for step in truth["steps"]:
        results = passed[step["step_id"]]
        assert (len(results), sum(results)) == (step["attempted"], step["passed_first"])
        rty *= sum(results) / len(results)
    assert rty == pytest.approx(truth["rty"])


def test_supplier_ppm() -> None:
    truth = TRUTHS["supplier_ppm"]
    lines = {row["id"] for row in WORLD.tables["purchaseOrderLines"] if row["id"] in truth["purchase_order_line_ids"]}
    receipts = by_id(WORLD, "receipts")
    received = sum(
        row["quantity"]
        for row in WORLD.tables["receiptItems"]
        if row["purchaseOrderLineId"] in lines and receipts[row["receiptId"]]["receivedAt"].startswith("2026-03")
    )
    back = next(row["id"] for row in WORLD.tables["issueDispositionTypes"] if row["title"] == "Return to vendor")
    issues = {
        row["id"]
        for row in WORLD.tables["issues"]
        if row.get("purchaseOrderLineId") in lines and row["issueDispositionTypeId"] == back
    }
    rejected = sum(
        UNITS[row["partInventoryId"]]["quantity"]
        for row in WORLD.tables["issuePartInventories"]
        if row["issueId"] in issues
    )
    assert (received, rejected) == (truth["quantity_received"], truth["quantity_rejected"])
    assert truth["ppm"] == 9250.0
    other = [row for row in WORLD.tables["receiptItems"] if row["purchaseOrderLineId"] not in lines]
    march = [
        row
        for row in other
        if receipts[row["receiptId"]]["receivedAt"].startswith("2026-03")
        and UNITS[row["partInventoryId"]].get("supplierId") == truth["supplier_id"]
    ]
    assert march == []


@pytest.mark.parametrize("name", ["late_line", "on_time_line"])
def test_delivery(name: str) -> None:
    truth = TRUTHS[name]
    line = by_id(WORLD, "purchaseOrderLines")[truth["purchase_order_line_id"]]
    receipts = by_id(WORLD, "receipts")
    arrived = max(
        receipts[row["receiptId"]]["receivedAt"]
        for row in WORLD.tables["receiptItems"]
        if row["purchaseOrderLineId"] == line["id"]
    )
    days = date.fromisoformat(arrived[:10]) - date.fromisoformat(line["estimatedArrivalDate"][:10])
    assert days.days == truth["days_late"]
    assert line["receivedQuantity"] == line["quantity"]


def test_reopened_issue() -> None:
    truth = TRUTHS["reopened_issue"]
    issue = by_id(WORLD, "issues")[truth["issue_id"]]
    gates = {row["issueApprovalGateType"] for row in WORLD.tables["issueApprovals"] if row["issueId"] == issue["id"]}
    assert issue["status"] == "IN_PROGRESS"
    assert gates == {"IN_PROGRESS", "RESOLVED"}
    assert truth["resolved_at"] < issue["_updated"] == truth["reopened_at"]


def test_scrap_partial_receipt_and_stock() -> None:
    scrap = TRUTHS["scrap"]
    lots = [row for row in UNITS.values() if NUMBERS[row["partId"]] == scrap["part_number"]]
    assert sum(row["quantityScrapped"] for row in lots) == scrap["quantity_scrapped"]
    assert sum(row["quantity"] for row in lots) == scrap["quantity_left"]
    line = by_id(WORLD, "purchaseOrderLines")[TRUTHS["partial_receipt"]["purchase_order_line_id"]]
    assert (line["receivedQuantity"], line["quantity"], line["isOpen"]) == (50.0, 80.0, True)
    stock = TRUTHS["stock"]
    assert [UNITS[unit]["status"] for unit in stock["states"].values()] == list(stock["states"])
    assert not set(stock["merge"]["deleted"]) & set(UNITS)
    assert UNITS[stock["split"]["crumb"]]["originPartInventoryId"] == stock["split"]["piece"]


def test_run_states_and_texts() -> None:
    runs = by_id(WORLD, "runs")
    assert {runs[int(run)]["status"] for run in TRUTHS["run_states"]} == {
        "TODO", "IN_PROGRESS", "FAILED", "REDLINE", "HOLD", "CANCELED", "PARTIAL_COMPLETE", "COMPLETE",
    }  # fmt: skip
    assert all(runs[int(run)]["status"] == status for run, status in TRUTHS["run_states"].items())
    comments = by_id(WORLD, "comments")
    assert {int(key): text for key, text in TRUTHS["awkward_texts"]["by_id"].items()}.items() <= {
        key: row["content"] for key, row in comments.items()
    }.items()
    assert len(comments[TRUTHS["long_text"]["comment_id"]]["content"].encode()) == TRUTHS["long_text"]["bytes"] > 10**6
    assert comments[TRUTHS["null_and_empty"]["null_comment_id"]]["content"] is None
    assert comments[TRUTHS["null_and_empty"]["empty_comment_id"]]["content"] == ""


def test_counts() -> None:
    assert TRUTHS["rows"] == {root: len(rows) for root, rows in WORLD.tables.items()}
    assert len(TRUTHS) > 20


def test_replacement_left_no_row() -> None:
    truth = TRUTHS["replacement"]
    rows = [
        row for row in WORLD.tables["abomInstallations"] if row["buildRequirementId"] == truth["build_requirement_id"]
    ]
    assert [(row["id"], row["partInventoryId"]) for row in rows] == [
        (truth["abom_installation_id"], truth["installed_part_inventory_id"])
    ]
    assert truth["deleted_abom_installation_id"] not in by_id(WORLD, "abomInstallations")
    assert UNITS[truth["removed_part_inventory_id"]]["status"] == "AVAILABLE"


def _plan(mbom: int) -> Counter[tuple[Any, ...]]:
    """Facts about an mBOM: lines, substitutes, designators."""
    revisions = {row["id"]: row["revision"] for row in WORLD.tables["parts"]}
    items = {row["id"]: row for row in WORLD.tables["mbomItems"] if row["mbomId"] == mbom}
    number = {key: NUMBERS[row["partId"]] for key, row in items.items()}
    facts: Counter[tuple[Any, ...]] = Counter()
    for key, row in items.items():
        facts["quantity", number[key], row["quantity"]] += 1
        facts["revision", number[key], revisions[row["partId"]]] += 1
        facts["made on assembly", number[key], row["madeOnAssembly"]] += 1
    for table, column in (("mbomSubstitutes", "partId"), ("mbomItemReferenceDesignators", "value")):
        for row in WORLD.tables[table]:
            if row["mbomItemId"] in items:
                value = NUMBERS[row[column]] if column == "partId" else row[column]
                facts[table, number[row["mbomItemId"]], value] += 1
    return facts


def test_mbom_versions_differ_as_planted() -> None:
    truth = TRUTHS["mbom_versions"]
    a, b = _plan(truth["mbom_a"]), _plan(truth["mbom_b"])
    place, substitute = "mbomItemReferenceDesignators", "mbomSubstitutes"
    assert a - b == Counter({
        ("quantity", "PLT-BOLT", 4.0): 1, ("revision", "PLT-SENSOR", "A"): 1, (place, "PLT-CELL", "X2"): 1,
        ("made on assembly", "PLT-SUB", False): 1, (substitute, "PLT-BOLT-ALT", "PLT-BOLT"): 1,
        ("quantity", "PLT-TAG", 1.0): 1, ("revision", "PLT-TAG", "A"): 1, ("made on assembly", "PLT-TAG", False): 1,
        ("quantity", "PLT-POWDER", 1.0): 1, ("revision", "PLT-POWDER", "A"): 1,
        ("made on assembly", "PLT-POWDER", False): 1, (place, "PLT-POWDER", "Y1"): 1,
    })  # fmt: skip
    assert b - a == Counter({
        ("quantity", "PLT-BOLT", 6.0): 1, (substitute, "PLT-BOLT", "PLT-BOLT-ALT"): 1,
        ("revision", "PLT-SENSOR", "B"): 1, (place, "PLT-CELL", "X3"): 1, ("made on assembly", "PLT-SUB", True): 1,
        ("quantity", "PLT-FILLER", 1.0): 1, ("revision", "PLT-FILLER", "A"): 1,
        ("made on assembly", "PLT-FILLER", False): 1, (place, "PLT-FILLER", "Y1"): 1,
        ("quantity", "PLT-LABEL", 3.0): 1, ("revision", "PLT-LABEL", "A"): 1,
        ("made on assembly", "PLT-LABEL", False): 1,
    })  # fmt: skip
    assert len({line["change"] for line in truth["changes"]}) == len(truth["changes"]) == 10
