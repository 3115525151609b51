"""Optional columns that people rarely fill in: set on a few rows, so that no column is empty in a complete world."""

from datetime import timedelta

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.planter import Planter
from ion_pipeline.sandbox.factory.showcase import Shown
from ion_pipeline.sandbox.factory.text import AWKWARD, slate


def fill_details(p: Planter, shown: Shown) -> None:
    """Fills in the columns."""
    f, store, when = p.f, p.f.store, p.tick()
    team, labels = f.ref.teams["Quality"], [{"id": f.ref.labels["urgent"]}]
    later = iso(when + timedelta(days=2))

    run, step = shown.runs[1].row, shown.runs[1].steps[0].row
    run.update(description=AWKWARD[2], assignedTeamId=team, scheduledStart=iso(when), scheduledEnd=later,
               jiraIssueKey="FAB-17", calculatedLeadTime=7200)  # fmt: skip
    step.update(slateContent=slate(AWKWARD[0], ""), content="plain", pages=[1, 2, 5], scheduledStart=iso(when),
                scheduledEnd=later, assignedToId=p.by, assignedTeamId=team, calculatedLeadTime=3600,
                resultsS3Bucket="ion-results", resultsS3Key=f"runs/{run['id']}.pdf", availableToWork=False)  # fmt: skip
    step["assets"] = [store.file(store.next_id("FileAttachment"), "assets/b.png", "b.png", "image/png", when, p.by)]
    field = shown.runs[1].steps[0].fields[0].row
    field.update(assignedTeamId=team, helpText="Write what you saw.", partId=shown.part["id"])
    shown.runs[1].steps[0].fields[0].plan.row.update(partId=shown.part["id"], partSubtypeId=f.ref.subtypes["hardware"])

    standard = next(row for row in store.live("steps") if row["isStandardStep"])
    standard.update(locationSubtypeId=f.ref.location_subtypes["clean"], content="plain text", pages=[])
    store.add("reviews", when, p.by, depth=0, status="APPROVED", stepId=standard["id"], reviewerId=p.by, resolved=True)

    unit = shown.units[1]
    unit.update(Cost=99.5, needDate=later, uri="ion://part-inventory/planted", mergeCandidateIds=[])
    shown.issues[1]["assignedTeamId"] = team
    store.live("partKits")[0]["assignedTeamId"] = team
    store.live("redlines")[0]["issueId"] = shown.issues[0]["id"]
    order = store.live("purchaseOrders")[0]
    order.update(labels=labels, requirements=[{"id": f.ref.requirements[2]}], supplierInstructions=slate("Dock 4", ""))
    store.live("contacts")[0]["phoneNumber"] = "+41 44 000 00 00"
    for root in ("issueApprovalRequests", "mbomApprovalRequests"):
        store.live(root)[-1].update(assignedToId=p.by, assignedTeamId=team)
