"""A small, hand-written world with one example of each important relation."""

from typing import Any

from ion_pipeline.sandbox.world import World

Row = dict[str, Any]

DAY = "2026-03-{:02d}T08:15:00.000000+00:00"


def small_world() -> World:
    """Two assemblies of one part, a lot in both, a run with two steps, an issue, a purchase order."""
    return World(
        tables={
            "users": [
                {"id": 1, "name": "Ada", "email": "ada@sandbox.example", "teams": [{"id": 1}]},
                {"id": 2, "name": "Grace", "deactivated": True},
            ],
            "teams": [{"id": 1, "name": "Assembly", "supervisorId": 1}],
            "roles": [{"id": 1, "name": "Buyer", "users": [{"id": 2}]}],
            "locations": [
                {"id": 1, "name": "Site"},
                {"id": 2, "name": "Hall", "parentId": 1},
                {"id": 3, "name": "Shelf", "parentId": 2},
            ],
            "partSubtypes": [{"id": 1, "name": "Fastener"}],
            "parts": [
                {"id": 1, "partNumber": "PUMP", "revision": "A", "trackingType": "SERIAL", "createdById": 1},
                {"id": 2, "partNumber": "PUMP", "revision": "B", "trackingType": "SERIAL", "revisedFromId": 1},
                {
                    "id": 3,
                    "partNumber": "BOLT_M4",
                    "revision": "A",
                    "trackingType": "LOT",
                    "cost": 0.25,
                    "leadTime": 7,
                    "partSubtypes": [{"id": 1}],
                    "_created": DAY.format(1),
                    "_updated": DAY.format(20),
                    "attributes": [
                        {"key": "mass", "type": "NUMBER", "value": 3.5, "Updated": DAY.format(25)},
                        {"key": "finish", "type": "STRING", "value": "zinc"},
                        {"key": "owner", "type": "ION", "ionValue": {"__typename": "User", "id": 1}},
                    ],
                },
                {"id": 4, "partNumber": "DRIVER", "revision": "A", "partType": "TOOL", "description": "50% ümläut"},
            ],
            "partInventories": [
                {"id": 10, "partId": 1, "serialNumber": "P-1", "quantity": 1, "status": "AVAILABLE", "locationId": 3},
                {"id": 11, "partId": 1, "serialNumber": "P-2", "quantity": 1, "status": "WIP", "locationId": 2},
                {
                    "id": 12,
                    "partId": 3,
                    "lotNumber": "L-9",
                    "quantity": 100,
                    "quantityAvailable": 96,
                    "status": "INSTALLED",
                    "fileAttachments": [{"id": 5, "filename": "cert.pdf"}],
                },
                {"id": 13, "partId": 3, "lotNumber": "L-10", "quantity": 40, "originPartInventoryId": 12},
            ],
            "buildRequirements": [
                {
                    "id": 1,
                    "partId": 3,
                    "quantityPerParentPartInventory": 4,
                    "partInventories": [{"id": 10}, {"id": 11}],
                    "referenceDesignators": [{"id": 1, "value": "B1"}, {"id": 2, "value": "B2"}],
                },
                {"id": 2, "partId": 4, "partInventories": [{"id": 10}]},
            ],
            "abomInstallations": [{"id": 7, "buildRequirementId": 1, "partInventoryId": 12, "quantity": 4}],
            "abomItems": [
                {"id": 1, "partInventoryId": 10, "partId": 1},
                {"id": 2, "partInventoryId": 12, "partId": 3, "referenceDesignator": {"id": 8, "value": "B1"}},
                {"id": 3, "partId": 4},
            ],
            "aBomEdges": [
                {"id": 1, "parentAbomItemId": 1, "childAbomItemId": 2},
                {"id": 2, "parentAbomItemId": 2, "childAbomItemId": 3},
            ],
            "mboms": [
                {"id": 1, "partId": 1, "version": 1, "status": "RELEASED"},
                {"id": 2, "partId": 1, "version": 2, "status": "DRAFT"},
            ],
            "mbomItems": [{"id": 1, "mbomId": 1, "partId": 3, "quantity": 4}],
            "procedures": [{"id": 1, "title": "Build", "labels": ["gold"], "familyId": 1}],
            "steps": [{"id": 1, "title": "Torque", "procedureId": 1, "locationId": 3}],
            "fields": [{"id": 1, "name": "torque", "type": "NUMBER", "stepId": 1}],
            "runBatchs": [{"id": 1, "title": "Batch"}],
            "runs": [
                {
                    "id": 1,
                    "title": "Build P-1",
                    "partId": 1,
                    "partInventoryId": 10,
                    "procedureId": 1,
                    "runBatchId": 1,
                    "originPartInventories": [{"id": 12}],
                },
                {"id": 2, "title": "Build P-2", "partId": 1, "partInventoryId": 11, "procedureId": 1, "runBatchId": 1},
            ],
            "runSteps": [
                {
                    "id": 1,
                    "runId": 1,
                    "title": "Torque",
                    "originStepId": 1,
                    "startedById": 1,
                    "startTime": DAY.format(2),
                    "endTime": DAY.format(3),
                    "locationId": 3,
                    "sessions": [
                        {"id": 1, "Created": DAY.format(2), "createdById": 1, "checkIn": DAY.format(2), "duration": 1.5}
                    ],
                },
                {
                    "id": 2,
                    "runId": 1,
                    "title": "Test",
                    "startedById": 2,
                    "startTime": DAY.format(4),
                    "upstreamStepIds": [1],
                },
                {"id": 3, "runId": 2, "title": "Torque", "originStepId": 1},
            ],
            "runStepFields": [
                {"id": 1, "name": "torque", "type": "NUMBER", "runStepId": 1, "value": 2.5, "originFieldId": 1},
                {"id": 2, "name": "note", "type": "STRING", "runStepId": 1, "value": "ok"},
                {"id": 3, "name": "torque", "type": "NUMBER", "runStepId": 3, "value": 2, "originFieldId": 1},
            ],
            "issues": [
                {
                    "id": 1,
                    "title": "Scratch",
                    "status": "PENDING",
                    "runStepId": 1,
                    "mustCloseByRunStepId": 2,
                    "entityId": 90,
                },
                {"id": 2, "title": "Dent", "status": "RESOLVED", "editable": "true", "mustCloseByRunStepId": 2},
            ],
            "issuePartInventories": [{"issueId": 1, "partInventoryId": 10}, {"issueId": 1, "partInventoryId": 12}],
            "issueRelations": [{"originIssueId": 1, "relatedIssueId": 2}],
            "comments": [{"id": 1, "content": "look", "entityId": 90}],
            "partProcedures": [{"id": 1, "partId": "1", "procedureId": 1}],
            "suppliers": [{"id": 1, "name": "Acme"}],
            "purchaseOrders": [{"id": 1, "supplierId": 1, "status": "ORDERED"}],
            "purchaseOrderLines": [{"id": 1, "purchaseOrderId": 1, "partId": 3, "partInventories": [{"id": 12}]}],
            "receipts": [{"id": 1, "receivedAt": DAY.format(1)}],
            "receiptItems": [
                {"id": 1, "receiptId": 1, "purchaseOrderLineId": 1, "partInventoryId": 12, "quantity": 60}
            ],
            "partKits": [{"id": 1, "runId": 1}],
            "partKitItems": [
                {"id": 1, "partKitId": 1, "partId": 3, "partInventories": [{"id": 12, "issuedQuantity": 4}]},
                {"id": 2, "partKitId": 1, "partId": 1},
            ],
            "barcodeLabels": [{"id": 1, "iuid": "x", "entityId": 70}],
            "planItems": [{"id": 1, "name": "make"}, {"id": 2, "name": "buy"}],
            "planItemAllocations": [{"parentPlanItemId": 1, "childPlanItemId": "2", "quantity": 3}],
        },
        organization={"id": 3, "name": "Small", "domain": "small.example", "settings": {"numReviewersRequired": 2}},
    )
