"""Approvals and approval requests of mBOMs, steps, procedures, orders, redlines and issues, with every verdict."""

from datetime import date, datetime, timedelta

from ion_pipeline.sandbox.factory.clock import at
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.factory.text import AWKWARD, slate

VERDICTS = ("PENDING", "APPROVED", "REJECTED", "OUTDATED")
_WHEN = at(date(2026, 1, 8), 6)


def build_approvals(f: Factory) -> None:
    """Creates approvals and requests with every verdict, some with replies, and links from designs to procedures."""
    f.store.add("mbomApprovalRoles", _WHEN, f.ref.admin, count=1, gateType="RELEASED", roleId=f.ref.roles["Engineer"])
    boms = [row for row in f.store.live("mboms") if row["status"] != "DRAFT"]
    steps = [row for row in f.store.live("steps") if row["isStandardStep"]]
    procedures = f.store.live("procedures")
    orders = f.store.live("purchaseOrders")
    redlines = f.store.live("redlines")
    role = {"roleId": f.ref.roles["Engineer"]}
    issues = f.store.live("issues")
    for place, verdict in enumerate(VERDICTS):
        _pair(f, "mbomApproval", verdict, "mbomId", boms[place % len(boms)], gateType="RELEASED", **role)
        _pair(f, "stepApproval", verdict, "stepId", steps[place % len(steps)])
        _pair(f, "purchaseOrderApproval", verdict, "purchaseOrderId", orders[place % len(orders)])
        _pair(f, "redlineApproval", verdict, "redlineId", redlines[place % len(redlines)])
        _pair(f, "review", verdict, "procedureId", procedures[place % len(procedures)])
        _pair(f, "issueApproval", verdict, "issueId", issues[place % len(issues)], issueApprovalGateType="RESOLVED",
              **role)  # fmt: skip
    for bom in boms:
        reviewer = f.ref.people["engineer"][1]
        when = datetime.fromisoformat(bom["_created"]) + timedelta(hours=1)
        f.store.add("mbomApprovals", when, reviewer, mbomId=bom["id"], gateType="RELEASED", reviewerId=reviewer,
                    status="APPROVED", depth=0, resolved=True, **role)  # fmt: skip
    _links(f)


def _pair(f: Factory, kind: str, verdict: str, column: str, row: Row, **more: object) -> None:
    """Adds a request and a verdict on a row, a day after its creation; a rejection gets a reply."""
    when = datetime.fromisoformat(row["_created"]) + timedelta(days=1)
    target = {column: row["id"], **more}
    by, reviewer = f.ref.people["engineer"][0], f.ref.people["inspector"][0]
    f.store.add(f"{kind}Requests", when, by, reviewerId=reviewer, status=verdict, **target)
    when += timedelta(hours=3)
    text = AWKWARD[len(kind) % len(AWKWARD)]
    fields = {"reviewerId": reviewer, "status": verdict, "resolved": verdict == "APPROVED"}
    first = f.store.add(f"{kind}s", when, reviewer, depth=0, comment=text, content=slate(text),
                        **fields, **target)  # fmt: skip
    if verdict == "REJECTED":
        answer = fields | {"reviewerId": by, "status": None}
        f.store.add(f"{kind}s", when + timedelta(hours=1), by, depth=1, parentId=first["id"], comment="", **answer,
                    **target)  # fmt: skip


def _links(f: Factory) -> None:
    """Links parts to the procedures that make them, and mBOM lines to the steps that install them."""
    by = f.ref.people["engineer"][0]
    pairs: list[tuple[Row, str]] = [
        (f.design.part("ENG-1100"), "assemble"), (f.design.part("ENG-1000"), "integrate"),
        (f.design.part("AV-2110"), "board"), (f.design.part("RA-3112"), "machine"),
    ]  # fmt: skip
    for place, (part, key) in enumerate(pairs):
        procedure = f.design.procedures[key]
        f.store.add("partProcedures", _WHEN, by, partId=str(part["id"]), procedureId=str(procedure.row["id"]),
                    required=place % 2 == 0, status=VERDICTS[place])  # fmt: skip
        step = next(plan.row for plan in procedure.steps if plan.spec.installs)
        for line in f.design.released[part["id"]].lines:
            place_row = line.designators[0]["id"] if line.designators else None
            f.store.add("stepMbomItemAssociations", _WHEN, by, mbomItemId=line.item["id"], stepId=step["id"],
                        quantity=line.item["quantity"], mbomItemReferenceDesignatorId=place_row)  # fmt: skip
