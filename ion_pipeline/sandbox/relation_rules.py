"""The relations that cannot be derived from names.

Every other relation is a foreign key (`partId` next to `part`) or the reverse of one with exactly one candidate. A
world may contain a many-to-many link on either side; the side that it contains is used, and the other is derived from
it. `UNDERIVABLE` lists the relations that are empty unless the world contains them, and why.
"""

from ion_pipeline.sandbox.model import VIEWS, known_model
from ion_pipeline.sandbox.relations import (
    Rule,
    alike,
    either,
    extreme,
    foreign,
    having,
    mirror,
    nothing,
    only_if,
    others,
    reachable,
    reverse,
    same,
    then,
    via,
)

_NODES = [node for node in known_model().types.values() if node.name not in VIEWS]


def _types_with(field: str) -> list[tuple[str, str]]:
    return [(node.name, field) for node in _NODES if field in node.references]


#: Fields that can only be given in the row itself, in every type that has them.
_UNDERIVABLE_FIELDS = {
    "assets": "ION does not show which rows have a file",
    "fileAttachments": "ION does not show which rows have a file",
    "labels": "only the row itself contains its labels",
    "familyLabels": "only the row itself contains its labels",
    "requirements": "a Requirement has no column that points at what it is attached to",
    "ionValue": "only the row itself contains a value that is a User or a Part",
    "settings": "organization.json contains it",
}
_RESULTS = "ION does not show which rows resulted from a plan item"
_BATCH_COPY = "ION does not show which rows a batch copied to its other runs"

UNDERIVABLE: dict[tuple[str, str], str] = {
    **{place: reason for field, reason in _UNDERIVABLE_FIELDS.items() for place in _types_with(field)},
    **{("PlanItem", field): _RESULTS for field in ("runs", "purchaseOrderLines", "issues", "partInventories")},
    **{(owner, "batchSiblings"): _BATCH_COPY for owner in ("Issue", "Redline", "RunStepsEdge")},
    ("RunStep", "batchAdoptedSiblings"): _BATCH_COPY,
    ("PartKitItem", "partInventories"): "only the kit line itself contains the inventory that was issued for it",
}
del UNDERIVABLE["PurchaseOrder", "requirements"]  # derived from its lines

#: Links that a world may contain on either side.
_PAIRS = (
    ("BuildRequirement.partInventories", "PartInventory.buildRequirements"),
    ("Part.partSubtypes", "PartSubtype.parts"),
    ("RunStep.partInventories", "PartInventory.runSteps"),
    ("PurchaseOrderLine.partInventories", "PartInventory.purchaseOrderLines"),
    ("Run.originPartInventories", "PartInventory.originRuns"),
    ("Team.users", "User.teams"),
    ("Team.roles", "Role.teams"),
    ("Role.users", "User.roles"),
    ("Role.permissionGroups", "PermissionGroup.roles"),
    ("PermissionGroup.permissions", "Permission.permissionGroups"),
    ("PlanItem.plans", "Plan.planItems"),
    ("PlanItem.inputs", "PlanInput.planItems"),
    ("WebhookReceiver.headers", "WebhookHeader.webhookReceivers"),
)


def _pair(path: str) -> tuple[str, str]:
    owner, field = path.split(".")
    return owner, field


_comments = same("entityId", "Comment", "entityId")
_run_comments = either(_comments, reverse("Comment.runId"))
_step_comments = either(_comments, reverse("Comment.runStepId"))
_closing_issues = reverse("Issue.mustCloseByRunStepId")
_sibling_runs = others(via("runBatch.runs"))
_sibling_steps = others(alike(then(via("run.batchSiblings"), "Run", "steps"), "originStepId"))
_mboms = reverse("MBom.partId")

RULES: dict[tuple[str, str], Rule] = {
    **dict.fromkeys(UNDERIVABLE, nothing),
    **{_pair(one): mirror(other) for one, other in _PAIRS},
    **{_pair(other): mirror(one) for one, other in _PAIRS},
    **dict.fromkeys(_types_with("comments"), _comments),
    **dict.fromkeys(_types_with("assignees"), either(via("assignedTo"), via("assignedTeam.users"))),
    # As-built BOM, generation 1: edges define the parents; `parentId` names only one of them.
    ("ABomItem", "parentEdges"): reverse("ABomEdge.childAbomItemId"),
    ("ABomItem", "childEdges"): reverse("ABomEdge.parentAbomItemId"),
    ("ABomItem", "parents"): via("parentEdges.parentAbomItem"),
    ("ABomItem", "children"): via("childEdges.childAbomItem"),
    ("ABomItem", "parent"): via("parents"),
    ("ABomItem", "allParents"): reachable("parents"),
    ("ABomItem", "allChildren"): reachable("children"),
    ("ABomItem", "referenceDesignator"): reverse("ABomItemReferenceDesignator.abomItemId"),
    ("PartInventory", "abomParents"): via("abomItems.parents"),
    ("PartInventory", "abomChildren"): via("abomItems.children"),
    # Parts and their plans
    ("Part", "latestMbom"): extreme(_mboms, "MBom", "version", last=True),
    ("Part", "latestReleasedMbom"): extreme(
        having(_mboms, "MBom", "status", lambda status: status == "RELEASED"), "MBom", "version", last=True
    ),
    ("Part", "mbom"): via("latestReleasedMbom.mbomItems"),
    ("Part", "MbomItems"): reverse("MBomItem.partId"),
    ("Part", "MbomItemSubstitutes"): reverse("MBomSubstitute.partId"),
    ("Part", "procedures"): via("partProcedures.procedure"),
    ("MBomItem", "parent"): via("mbom.part"),
    ("MBomSubstitute", "parent"): via("mbomItem.part"),
    # Inventory and where it is
    ("PartInventory", "issues"): either(
        then(reverse("IssuePartInventory.partInventoryId"), "IssuePartInventory", "issue"),
        mirror("Issue.partInventories"),
    ),
    ("PartInventory", "partKitItems"): mirror("PartKitItem.partInventories"),
    ("PartInventory", "partKits"): via("partKitItems.partKit"),
    ("PartInventory", "receipts"): via("receiptItems.receipt"),
    ("PartInventory", "parentLocations"): either(via("location"), via("location.allParents")),
    ("PartKit", "partInventories"): via("partKitItems.partInventories"),
    ("Location", "allParents"): reachable("parent"),
    ("Location", "allChildren"): reachable("locations"),
    ("Location", "expectedPartKits"): reverse("PartKit.deliveryLocationId"),
    ("Location", "partKits"): reverse("PartKit.locationId"),
    # Procedures and their steps
    ("Procedure", "feedback"): having(
        then(via("runs"), "Run", "comments"), "Comment", "procedureFeedback", lambda given: given is True
    ),
    ("Procedure", "locations"): via("steps.location"),
    ("Procedure", "parts"): via("partProcedures.part"),
    **{
        (owner, "upstream"): reverse(f"{edge}.stepId")
        for owner, edge in (("Step", "StepsEdge"), ("RunStep", "RunStepsEdge"))
    },
    **{
        (owner, "downstream"): reverse(f"{edge}.upstreamStepId")
        for owner, edge in (("Step", "StepsEdge"), ("RunStep", "RunStepsEdge"))
    },
    **{(owner, "steps"): reverse(f"{owner}.parentId") for owner in ("Step", "RunStep")},
    **{(owner, "allChildren"): reachable("steps") for owner in ("Step", "RunStep")},
    **{(owner, "allParents"): reachable("parent") for owner in ("Step", "RunStep")},
    **{(owner, "pdf"): foreign("pdfAssetId", "FileAttachment") for owner in ("Step", "RunStep")},
    **{(owner, "standardStep"): only_if("isStandardStep", via("originStep")) for owner in ("Step", "RunStep")},
    ("Step", "derivedSteps"): reverse("Step.originStepId"),
    ("Step", "standardStepProcedures"): via("derivedSteps.procedure"),
    ("Step", "standardStepRuns"): via("derivedSteps.procedure.runs"),
    # Runs: most relations of a run go through its steps
    ("Run", "comments"): _run_comments,
    ("Run", "Comments"): _run_comments,
    ("Run", "issues"): via("steps.issues"),
    ("Run", "redlines"): via("steps.redlines"),
    ("Run", "sessions"): via("steps.sessions"),
    ("Run", "locations"): via("steps.location"),
    ("Run", "batchSiblings"): _sibling_runs,
    ("Run", "startedBy"): then(extreme(via("steps"), "RunStep", "startTime", last=False), "RunStep", "startedBy"),
    ("Run", "completedBy"): then(extreme(via("steps"), "RunStep", "endTime", last=True), "RunStep", "completedBy"),
    ("RunStep", "comments"): _step_comments,
    ("RunStep", "Comments"): _step_comments,
    ("RunStep", "fields"): reverse("RunStepField.runStepId"),
    ("RunStep", "issues"): reverse("Issue.runStepId"),
    ("RunStep", "mustCloseByLinkedIssues"): _closing_issues,
    ("RunStep", "blockingIssues"): having(_closing_issues, "Issue", "status", lambda status: status != "RESOLVED"),
    ("RunStep", "batchSiblings"): _sibling_steps,
    ("RunStep", "allBatchedSiblings"): _sibling_steps,
    ("RunStepField", "step"): foreign("runStepId", "RunStep"),
    ("RunStepField", "batchSiblings"): alike(then(via("step.batchSiblings"), "RunStep", "fields"), "originFieldId"),
    ("RunStepFieldValidation", "batchSiblings"): alike(
        then(via("runStepField.batchSiblings"), "RunStepField", "validations"), "validationId"
    ),
    # Issues
    ("Issue", "partInventories"): then(reverse("IssuePartInventory.issueId"), "IssuePartInventory", "partInventory"),
    ("Issue", "relatedIssues"): then(reverse("IssueRelation.originIssueId"), "IssueRelation", "relatedIssue"),
    ("Issue", "originIssues"): then(reverse("IssueRelation.relatedIssueId"), "IssueRelation", "originIssue"),
    ("Issue", "siblingIssues"): others(via("originIssues.relatedIssues")),
    ("IssueDispositionType", "roles"): via("issueDispositionTypeRoles.role"),
    ("FurtherAction", "issues"): nothing,  # only the row itself names its issues and approvers
    ("FurtherAction", "approvers"): nothing,
    # Supply and planning
    ("PurchaseOrder", "requirements"): via("purchaseOrderLines.requirements"),
    ("PurchaseOrderLine", "receipts"): via("receiptItems.receipt"),
    ("PurchaseOrderLine", "receivedPartInventories"): via("receiptItems.partInventory"),
    ("Receipt", "partInventories"): via("receiptItems.partInventory"),
    ("Receipt", "purchaseOrderLines"): via("receiptItems.purchaseOrderLine"),
    ("PlanItem", "childAllocations"): reverse("PlanItemAllocation.parentPlanItemId"),
    ("PlanItem", "parentAllocations"): reverse("PlanItemAllocation.childPlanItemId"),
    # People
    ("Role", "permissions"): via("permissionGroups.permissions"),
    ("User", "updatedBy"): reverse("User.updatedById"),  # a list in ION's schema: the users this one updated
    ("User", "permissionGroups"): via("roles.permissionGroups"),
}
