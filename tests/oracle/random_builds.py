"""Random shops at work: units with requirements on several levels, runs on them, open issues and orders."""

import random
from datetime import datetime, timedelta

from tests.oracle.random_floor import random_floor
from tests.oracle.shop_builder import ShopBuilder

_ENTITIES = (
    "purchaseOrders",
    "purchaseOrderLines",
    "issueApprovals",
    "issueApprovalRequests",
    "issueDispositionTypes",
    "stepMbomItemAssociations",
)
# Interval of the maintenance of tools that are under export control, and are the only ones.
_CONTROLLED_TOOL = 864_000
_LINE_STATES = ("ORDERED", "ORDERED", "ORDERED", "DRAFT", "RECEIVED", "CANCELED")


def random_builds(seed: int, procedures: int = 8, runs: int = 10) -> ShopBuilder:
    """A shop with random runs whose units are built of each other; the same seed gives the same."""
    rng = random.Random(seed)
    shop = ShopBuilder()
    shop.world |= {name: [] for name in _ENTITIES}
    random_floor(shop, seed, procedures, runs)
    _order_steps(rng, shop)
    _contents(rng, shop)
    _install_during_runs(rng, shop)
    _issues(rng, shop)
    _orders(rng, shop)
    _tools(rng, shop)
    for unit in shop.world["partInventories"]:
        unit["status"] = rng.choice(("AVAILABLE", "WIP", "WIP", "UNAVAILABLE", "SCRAPPED", None))
    return shop


def _order_steps(rng: random.Random, shop: ShopBuilder) -> None:
    """Let steps follow others of their run or procedure; some follow themselves, a ring, or one that is not there."""
    for step in shop.world["steps"]:
        siblings = [
            other["id"]
            for other in shop.world["steps"]
            if other["id"] < step["id"]
            and (other["procedureId"], other.get("parentId")) == (step["procedureId"], step.get("parentId"))
            and other["id"] not in other["upstreamStepIds"]
        ]
        own = [step["id"]] if rng.random() < 0.1 else rng.sample(siblings, min(len(siblings), rng.choice((1, 1, 2, 3))))
        step["upstreamStepIds"] = own
    for step in shop.world["runSteps"]:
        if step.get("endTime"):
            lasts = timedelta(minutes=rng.choice((1, 5, 20, 60)))
            step["endTime"] = (datetime.fromisoformat(step["startTime"]) + lasts).isoformat()
        others = [other["id"] for other in shop.world["runSteps"] if other["runId"] == step["runId"]]
        before = [other for other in others if other < step["id"] or rng.random() < 0.1]
        ids = rng.sample(before, min(len(before), rng.choice((0, 1, 1, 2))))
        step["upstreamStepIds"] = [*ids, *ids[:1], *([10**8] if rng.random() < 0.05 else [])]


def _contents(rng: random.Random, shop: ShopBuilder) -> None:
    """Requirements of units, filled by others: too little, enough, too much, of an unknown quantity or not at all."""
    units = shop.world["partInventories"]
    for _ in range(len(units)):
        parents = rng.sample(units, rng.choice((1, 1, 1, 2)))
        wanted = rng.choice(units)
        amount = rng.choice((0.0, 0.5, 1.0, 1.0, 3.0, None))
        is_fixed = rng.random() < 0.3
        requirement = shop.requirement(
            [unit["id"] for unit in parents],
            wanted["partId"],
            per_unit=None if is_fixed else amount,
            fixed=amount if is_fixed else None,
        )
        # A plan of its own: in one plan, each unit would lack the lines of all others.
        shop.world["mbomItems"][-1]["mbomId"] = shop.add(
            "mboms", partId=parents[0]["partId"], version=requirement + 1, status="ARCHIVED", entityId=1.0
        )
        for _ in range(rng.choice((0, 1, 1, 2))):
            # Mostly the wanted part, and from the end of the list, so that there are levels and few rings.
            below = [unit for unit in units if unit["id"] > max(parent["id"] for parent in parents)]
            right = [unit for unit in below if unit["partId"] == wanted["partId"]]
            child = rng.choice(units if rng.random() < 0.03 else right or below or units)
            shop.install(requirement, child["id"], rng.choice((0.5, 1.0, 1.0, 4.0, None)))


def _install_during_runs(rng: random.Random, shop: ShopBuilder) -> None:
    """Let most installations happen while a step is performed, and let the plan say at which step for some lines."""
    times = [step["startTime"] for step in shop.world["runSteps"] if step.get("startTime")]
    for installation in shop.world["abomInstallations"]:
        if rng.random() < 0.8:
            installation["_created"] = rng.choice(times)
    for item in rng.sample(shop.world["mbomItems"], len(shop.world["mbomItems"]) // 2):
        for step in rng.sample(shop.world["steps"], 8):
            shop.add("stepMbomItemAssociations", stepId=step["id"], mbomItemId=item["id"], quantity=1.0)


def _issues(rng: random.Random, shop: ShopBuilder) -> None:
    types = [
        shop.add("issueDispositionTypes", title=f"Type {number}", inventoryAvailability=rule)
        for number, rule in enumerate((None, "AVAILABLE", "RELEASED_ON_RESOLUTION", "PERMANENTLY_UNAVAILABLE"))
    ]
    for _ in range(len(shop.world["runSteps"]) // 4):
        step = rng.choice([*shop.world["runSteps"], {"id": None}])
        status = rng.choice(("PENDING", "IN_REVIEW", "RESOLVED"))
        links = {"mustCloseByRunStepId": step["id"], "issueDispositionTypeId": rng.choice([*types, None])}
        issue = shop.add("issues", title="Open", status=status, runStepId=None, **links)
        for unit in rng.sample(shop.world["partInventories"], rng.choice((0, 1, 2))):
            link = {"issueId": issue, "partInventoryId": unit["id"], "fromSplitInventory": False}
            shop.world["issuePartInventories"].append(link)


def _orders(rng: random.Random, shop: ShopBuilder) -> None:
    for _ in range(len(shop.world["parts"])):
        order = shop.add("purchaseOrders", entityId=1, status="ORDERED", isOpen=True)
        for position in range(rng.choice((1, 2))):
            status = rng.choice(_LINE_STATES)
            shop.add(
                "purchaseOrderLines",
                entityId=1,
                purchaseOrderId=order,
                position=position,
                partId=rng.choice([*shop.world["parts"], {"id": None}])["id"],
                status=status,
                quantity=4.0,
                receivedQuantity=4.0 if status == "RECEIVED" else 0.0,
                isOpen=status in {"DRAFT", "ORDERED"},
                paid=False,
                estimatedArrivalDate=rng.choice((None, f"2026-05-{rng.randint(10, 28)}T00:00:00+00:00")),
            )


def _tools(rng: random.Random, shop: ShopBuilder) -> None:
    """Tools with and without an interval, maintained before some of their uses, after all of them or never."""
    days = [step["endTime"] for step in shop.world["runSteps"] if step.get("endTime")]
    for seconds in (7200, _CONTROLLED_TOOL, None):
        part = shop.part()
        shop.world["parts"][-1] |= {
            "partType": "TOOL",
            "maintenanceIntervalSeconds": seconds,
            "exportControlled": seconds == _CONTROLLED_TOOL,
        }
        for maintained in (*rng.sample(days, 3), None):
            tool = shop.unit(part)
            shop.world["partInventories"][-1]["lastMaintainedDate"] = maintained
            for step in rng.sample(shop.world["runSteps"], 12):
                field = {"runStepId": step["id"], "name": "Gauge", "type": "TOOL", "position": 1}
                at = step.get("endTime") or rng.choice(days)
                shop.add("runStepFields", **field, partInventoryId=tool, value=f"S{tool}", _updated=at)
