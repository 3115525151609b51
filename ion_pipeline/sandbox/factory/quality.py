"""Issues with their state changes, and redlines with their approvals."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ion_pipeline.sandbox.factory.clock import next_working_day
from ion_pipeline.sandbox.factory.context import Factory, Task
from ion_pipeline.sandbox.factory.production import LiveStep
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.factory.text import json_text, slate

_NEXT = {"PENDING": "IN_PROGRESS", "IN_PROGRESS": "IN_REVIEW", "IN_REVIEW": "RESOLVED"}
_SENT_BACK_CHANCE = 0.08
_REOPENED_CHANCE = 0.05


def open_issue(
    f: Factory,
    title: str,
    units: list[Row],
    when: datetime,
    by: int,
    *,
    step: Row | None = None,
    line: Row | None = None,
    disposition: str | None = None,
    from_split: bool = False,
    **more: object,
) -> Row:
    """Opens an issue on units that was found at a run step or on a purchase order line.

    `disposition` is the title of a disposition type, None while it is undecided; `from_split` says whether the units
    were split off for the issue.
    """
    issue = f.store.add(
        "issues", when, by, title=title, status="PENDING", runStepId=step["id"] if step else None,
        purchaseOrderLineId=line["id"] if line else None, partInventoryId=units[0]["id"] if units else None,
        issueDispositionTypeId=f.ref.dispositions[disposition] if disposition else None, approved=False,
        causeCondition=slate(f"Found: {title}"), expectedCondition=slate("As drawn."), editable="true",
        assignedToId=f.someone("engineer"), **more,
    )  # fmt: skip
    for unit in units:
        f.store.add("issuePartInventories", when, by, issueId=issue["id"], partInventoryId=unit["id"],
                    fromSplitInventory=from_split)  # fmt: skip
    return issue


def decide(f: Factory, issue: Row, disposition: str, when: datetime, by: int) -> None:
    """Sets the disposition; a later change returns the issue to PENDING (vendor manual: issues)."""
    changed = issue["issueDispositionTypeId"] is not None and issue["status"] != "PENDING"
    f.store.touch(issue, when, by, issueDispositionTypeId=f.ref.dispositions[disposition],
                  disposition=slate(disposition), status="PENDING" if changed else issue["status"])  # fmt: skip


def advance(f: Factory, issue: Row, when: datetime) -> str:
    """Advances an issue to its next state; IN_PROGRESS and RESOLVED need an approval."""
    by = f.someone("inspector")
    status = _NEXT[issue["status"]]
    if status in ("IN_PROGRESS", "RESOLVED"):
        gate = {"issueId": issue["id"], "issueApprovalGateType": status, "roleId": f.ref.roles["Inspector"],
                "reviewerId": by, "status": "APPROVED"}  # fmt: skip
        f.store.add("issueApprovalRequests", when - timedelta(hours=1), issue["createdById"], **gate, assignedToId=by)
        f.store.add("issueApprovals", when, by, **gate, depth=0, resolved=False, comment="ok", content=slate("ok"))
    f.store.touch(issue, when, by, status=status, approved=status == "RESOLVED")
    return status


def reopen(f: Factory, issue: Row, reason: str, when: datetime, by: int) -> None:
    """Reopens a resolved issue; its approval, a comment and a later `_updated` remain visible."""
    f.store.touch(issue, when, by, status="IN_PROGRESS", approved=False)
    f.store.add("comments", when, by, depth=0, content=f"Reopened: {reason}", entityId=issue["entityId"],
                procedureFeedback=False, resolved=False, slateContent=slate(f"Reopened: {reason}"))  # fmt: skip


@dataclass
class IssueWork(Task):
    """The work on an issue until it is resolved."""

    issue: Row
    disposition: str

    def run(self, factory: Factory) -> None:
        """Moves the issue one state forward or back, and continues some days later."""
        f, issue = factory, self.issue
        when, by = f.moment(), f.someone("engineer")
        if issue["issueDispositionTypeId"] is None:
            decide(f, issue, self.disposition, when, by)
        elif issue["status"] == "RESOLVED":
            if f.rng.random() >= _REOPENED_CHANCE:
                return
            reopen(f, issue, "found again", when, by)
        elif issue["status"] == "IN_REVIEW" and f.rng.random() < _SENT_BACK_CHANCE:
            f.store.touch(issue, when, by, status="IN_PROGRESS")
        else:
            advance(f, issue, when)
        f.agenda[next_working_day(f.day, f.rng.randrange(1, 4))].append(self)


def raise_redline(f: Factory, step: LiveStep, when: datetime, by: int, issue: Row | None = None) -> Row:
    """Opens a redline on a run step: a change of its instructions during the run."""
    before = {"title": step.row["title"]}
    after = {"title": f"{step.row['title']} (redlined)"}
    redline = f.store.add(
        "redlines", when, by, stepId=step.row["id"], issueId=issue["id"] if issue else None, batched=False,
        initialState=json_text(before), finalState=json_text(after), diff=json_text({"title": [before, after]}),
        active="true", approved=False,
    )  # fmt: skip
    reviewer = f.someone("engineer")
    f.store.add("redlineApprovalRequests", when, by, redlineId=redline["id"], reviewerId=reviewer, status="PENDING")
    f.store.touch(step.row, when, by, status="REDLINE")
    return redline


def approve_redline(f: Factory, step: LiveStep, redline: Row, when: datetime) -> None:
    """Approves a redline: the step gets its text and is in progress again."""
    by = f.someone("engineer")
    f.store.add("redlineApprovals", when, by, redlineId=redline["id"], reviewerId=by, status="APPROVED", depth=0,
                resolved=True, comment=None, content=slate("agreed"))  # fmt: skip
    f.store.touch(redline, when, by, approved=True, active="false")
    f.store.touch(step.row, when, by, status="IN_PROGRESS", title=f"{step.row['title']} (redlined)")
