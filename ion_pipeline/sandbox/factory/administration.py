"""The administration of the tenant: permissions, rules, webhooks, notifications and barcodes."""

from datetime import date

from ion_pipeline.sandbox.factory.clock import at
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.store import Row, enum_values
from ion_pipeline.sandbox.factory.text import AWKWARD, json_text

_WHEN = at(date(2025, 1, 8))
_RESOURCES = ("Part", "PartInventory", "Run", "Issue", "PurchaseOrder")
_RULE_STATES = ("UNINITIALIZED", "VALIDATING", "DISABLED", "ACTIVE", "ERROR")
_EVENT_STATES = (("SENDING", None), ("SUCCEEDED", 200), ("RETRYING", 503), ("FAILED", 404))


def build_administration(f: Factory) -> None:
    """Creates some rows of each entity, in all its states."""
    _permissions(f)
    _rules(f)
    _webhooks(f)
    _people(f)
    _barcodes(f)


def _permissions(f: Factory) -> None:
    store = f.store
    made: list[Row] = [
        store.add("permissions", _WHEN, None, action=action, resource=resource, resourceTypeName="TYPE", field=None,
                  fieldTypeName=None, isConnection=action == "READ")
        for resource in _RESOURCES
        for action in enum_values("Permissionactionenum")
    ]  # fmt: skip
    for kind, resource in (("QUERY", "parts"), ("MUTATION", "createPart"), ("INPUT", "CreatePartInput")):
        made.append(
            store.add("permissions", _WHEN, None, action="READ", resource=resource, resourceTypeName=kind, field="id",
                      fieldTypeName="Int", isConnection=False)
        )  # fmt: skip
    for name, readers in (("Readers", True), ("Editors", False)):
        chosen = [row for row in made if (row["action"] == "READ") == readers]
        group = store.add("permissionGroups", _WHEN, None, name=name, family="factory")
        group["permissions"] = [{"id": row["id"]} for row in chosen]
        group["roles"] = [{"id": f.ref.roles["Operator" if readers else "Administrator"]}]


def _rules(f: Factory) -> None:
    events = ("CREATE", "UPDATE", "DELETE")
    for place, status in enumerate(_RULE_STATES):
        f.store.add(
            "rules", _WHEN, f.ref.admin, title=f"Rule {place}: {AWKWARD[place]}", version=place, status=status,
            enabled=status == "ACTIVE", target="PART", eventType=events[place % 3], ruleType="VALIDATION",
            code="def validate(part):\n\treturn part.revision != ''\n", codeHash=f"{place:064x}",
            context="" if place else None, errorState="BLOCK" if place % 2 else "ALLOW",
        )  # fmt: skip


def _webhooks(f: Factory) -> None:
    store, by = f.store, f.ref.admin
    header = store.add("webhookHeaders", _WHEN, by, key="X-Api-Key", value="not-a-real-secret")
    receivers = [
        store.add("webhookReceivers", _WHEN, by, name=name, description=None, sharedSecret=f"planted-{name}",
                  webhookUri=f"https://hooks.example/{name}", contentType=kind, expectedResponseCode=200,
                  active=kind == "JSON", headers=[{"id": header["id"]}])
        for name, kind in (("erp", "JSON"), ("legacy", "XML"))
    ]  # fmt: skip
    for place, action in enumerate(("CREATE", "UPDATE", "DELETE")):
        subscription = store.add("webhookSubscriptions", _WHEN, by, resource="PARTS", action=action, active=place != 2,
                                 receiverId=receivers[place % 2]["id"])  # fmt: skip
        for status, code in _EVENT_STATES:
            store.add(
                "webhookEvents", _WHEN, None, subscriptionId=subscription["id"], status=status, responseStatusCode=code,
                numberOfRetries=3 if status == "RETRYING" else 0, requestData=json_text({"resource": "parts"}),
                responseData=None if code is None else "", responseReceivedAt=None,
            )  # fmt: skip


def _people(f: Factory) -> None:
    store, by = f.store, f.ref.admin
    for status in enum_values("InvitesStatusEnum"):
        store.add("invites", _WHEN, by, email=f"{status.lower()}@factory.example", name=None, message="", status=status,
                  resendCount=1)  # fmt: skip
    store.add("integrations", _WHEN, by, integrationId="duro-1", templateName="DURO_CHANGE_ORDER_APPROVED",
              enabled=True, webhookId="wh-1")  # fmt: skip
    part = f.design.part("ENG-1000")
    for place, kind in enumerate(enum_values("NotificationTypeEnum")):
        store.add(
            "userNotifications", _WHEN, by, userId=f.ref.people["engineer"][place % 3], type=kind, read=place % 2 == 0,
            title=kind.replace("_", " ").title(), description=AWKWARD[place % len(AWKWARD)], entityId=part["entityId"],
            payload=json_text({"part": part["id"], "text": AWKWARD[place % len(AWKWARD)]}), path=f"/parts/{part['id']}",
        )  # fmt: skip
    for user in f.ref.people["engineer"]:
        store.add("userSubscriptions", _WHEN, by, userId=user, entityId=part["entityId"])


def _barcodes(f: Factory) -> None:
    store, by = f.store, f.ref.admin
    kinds = {"LOCATIONS": "locations", "PARTS_INVENTORY": "partInventories", "PARTS_KITS": "", "RUNS": "runs"}
    for place, (kind, root) in enumerate(kinds.items()):
        store.add("barcodePatterns", _WHEN, by, expression=f"^{kind}-(?P<id>\\d+)$", entityType=kind)
        template = store.add("barcodeTemplates", _WHEN, by, name=f"{kind} label", heightInches=1.0, widthInches=2.5,
                             dpi=203, template="^XA^FD{{ id }}^FS^XZ", format="ZPL", entityType=kind,
                             deactivated=place == 2)  # fmt: skip
        for row in store.live(root)[:3] if root else ():
            label = store.add("barcodeLabels", _WHEN, by, templateId=template["id"], entityId=row["entityId"],
                              iuid=f"IUID{row['entityId']:08d}", deactivated=False)  # fmt: skip
            key = store.next_id("FileAttachment")
            label["labelPreviewId"] = key
            label["labelPreview"] = store.file(key, f"labels/{key}.png", "label.png", "image/png", _WHEN, by)
