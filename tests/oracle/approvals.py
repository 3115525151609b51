"""Who waited for whom: requests for approvals, the verdicts that answer them, and redlines, from a world's rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle.issues import instant
from tests.oracle.world import Row, World


@dataclass(frozen=True)
class Kind:
    """A kind of approval: its connections, the field of what is approved, the field of the gate."""

    name: str
    requests: str
    verdicts: str
    subject: str
    gate: str | None = None


KINDS = (
    Kind("issue", "issueApprovalRequests", "issueApprovals", "issueId", "issueApprovalGateType"),
    Kind("mbom", "mbomApprovalRequests", "mbomApprovals", "mbomId", "gateType"),
    Kind("procedure", "reviewRequests", "reviews", "procedureId"),
    Kind("purchase_order", "purchaseOrderApprovalRequests", "purchaseOrderApprovals", "purchaseOrderId"),
    Kind("redline", "redlineApprovalRequests", "redlineApprovals", "redlineId"),
    Kind("standard_step", "stepApprovalRequests", "stepApprovals", "stepId"),
)
_SUBJECTS = {
    "issue": "issues", "mbom": "mboms", "procedure": "procedures", "purchase_order": "purchaseOrders",
    "redline": "redlines", "standard_step": "steps",
}  # fmt: skip


def requests(world: World, last_load: datetime) -> list[Row]:
    """Each request with the verdict that answers it, and the hours it waited."""
    members: dict[int, set[int]] = {
        team["id"]: {user["id"] if isinstance(user, dict) else user for user in team.get("users") or ()}
        for team in world["teams"]
    }
    found = []
    for kind in KINDS:
        subjects = {row["id"]: row for row in world[_SUBJECTS[kind.name]]}
        verdicts = list(_verdicts(world, kind))
        for request in world[kind.requests]:
            asked = request.get("assignedToId") or request["reviewerId"]
            team = members.get(request.get("assignedTeamId") or 0)
            answers = [
                verdict
                for verdict in verdicts
                if verdict.get(kind.subject) == request[kind.subject]
                and (kind.gate is None or verdict[kind.gate] == request[kind.gate])
                and _at(verdict) >= _at(request)
                and (verdict["reviewerId"] == asked if asked else team is None or verdict["reviewerId"] in team)
                and (not request.get("roleId") or verdict.get("roleId") in (None, request["roleId"]))
            ]
            first = min(answers, key=lambda verdict: (_at(verdict), verdict["id"]), default=None)
            pending = request.get("status") in (None, "PENDING")
            subject = subjects.get(request[kind.subject])
            waits = first is None and pending and not (subject and _is_decided(kind, subject, request))
            until = _at(first) if first else last_load if waits else None
            found.append({
                "approval_kind": kind.name,
                "approval_request_id": request["id"],
                "subject_id": request[kind.subject],
                "asked_user_id": asked,
                "approval_id": first and first["id"],
                "verdict": first and first["status"],
                "is_waiting": waits,
                "waiting_hours": until and max((until - _at(request)).total_seconds(), 0) / 3600,
            })  # fmt: skip
    return found


def verdicts(world: World) -> list[Row]:
    """Each verdict or remark, with the number of its replies."""
    steps = {step["id"]: step.get("procedureId") for step in world["steps"]}
    return [
        {
            "approval_kind": kind.name,
            "approval_id": row["id"],
            "subject_id": row.get(kind.subject) or steps.get(row.get("stepId") or 0),
            "is_verdict": row.get("status") not in (None, "PENDING"),
            "reply_count": sum(other.get("parentId") == row["id"] for other in world[kind.verdicts]),
        }
        for kind in KINDS
        for row in world[kind.verdicts]
        if row.get("parentId") is None
    ]


def redlines(world: World, last_load: datetime) -> list[Row]:
    """Each redline, with its approval and the hours it waited for that."""
    [kind] = (kind for kind in KINDS if kind.name == "redline")
    found = []
    for redline in world["redlines"]:
        own = [row for row in _verdicts(world, kind) if row["redlineId"] == redline["id"]]
        own.sort(key=lambda verdict: (_at(verdict), verdict["id"]))
        approvals = [verdict for verdict in own if verdict["status"] == "APPROVED"] if redline.get("approved") else []
        waits = not redline.get("approved") and (not own or own[-1]["status"] != "REJECTED")
        until = _at(approvals[-1]) if approvals else last_load if waits else None
        found.append({
            "redline_id": redline["id"],
            "author_id": redline["createdById"],
            "issue_id": redline.get("issueId"),
            "verdict_count": len(own),
            "request_count": sum(row["redlineId"] == redline["id"] for row in world[kind.requests]),
            "approved_at": _at(approvals[-1]) if approvals else None,
            "is_waiting": waits,
            "waiting_hours": until and max((until - _at(redline)).total_seconds(), 0) / 3600,
        })  # fmt: skip
    return found


def _verdicts(world: World, kind: Kind) -> Iterator[Row]:
    return (
        row
        for row in world[kind.verdicts]
        if row.get("parentId") is None and row.get("status") not in (None, "PENDING")
    )


def _at(row: Row) -> datetime:
    at = instant(row["_created"])
    assert at is not None
    return at


def _is_decided(kind: Kind, subject: Row, request: Row) -> Any:
    if kind.name == "issue":
        gates = {"IN_PROGRESS": ("IN_PROGRESS", "IN_REVIEW", "RESOLVED"), "RESOLVED": ("RESOLVED",)}
        return subject["status"] in gates[request["issueApprovalGateType"]]
    if kind.name in ("mbom", "procedure"):
        return subject["status"] in ("RELEASED", "ARCHIVED")
    if kind.name == "purchase_order":
        return subject.get("approved") or subject["status"] in ("APPROVED", "ORDERED", "RECEIVED", "CANCELED")
    return subject.get("approved")
