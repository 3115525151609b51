"""What was recorded at the steps of the runs of a world, field by field and cell by cell."""

import json
from datetime import datetime
from typing import Any

from tests.oracle.production import Factory, instant, microseconds
from tests.oracle.world import Row

_NAMED = {"TOOL": "partInventoryId", "FILE_ATTACHMENT": "fileAttachmentId", "ION": "entityId"}


def step_results(factory: Factory) -> list[Row]:
    """The rows of `production.step_results`, without limits and verdicts."""
    return [
        {"result_key": f"field-{field['id']}", "field_name": field["name"], **_result(factory, field)}
        for field in factory.world["runStepFields"]
        if _is_recorded(field)
    ] + [
        {
            "result_key": f"cell-{row['id']}-{column['id']}",
            "field_name": column["header"],
            **_result(factory, {**cell, "runStepId": row["runStepId"]}),
        }
        for cell in factory.world.get("datagridValues", [])
        for row in [factory.find("datagridRows", cell["rowId"])]
        for column in [factory.find("datagridColumns", cell["columnId"])]
        if row["runStepId"] is not None and _is_recorded(cell)
    ]


def _is_recorded(entered: Row) -> bool:
    if entered.get("notApplicable") or entered.get("value") is not None:
        return True
    return entered["type"] in _NAMED and entered.get(_NAMED[entered["type"]]) is not None


def _result(factory: Factory, entered: Row) -> Row:
    step = factory.find("runSteps", entered["runStepId"])
    run = factory.find("runs", step["runId"])
    kind, value = entered["type"], entered.get("value")
    ended = instant(step["endTime"]) if step.get("endTime") else None
    changed = instant(entered["_updated"])
    is_late = ended is not None and changed > ended
    tool = factory.find("partInventories", entered.get("partInventoryId")) if kind == "TOOL" else {}
    files = {file["id"]: file["filename"] for file in step.get("fileAttachments") or []}
    return {
        "run_step_id": step["id"],
        "run_id": run["id"],
        "part_inventory_id": run.get("partInventoryId"),
        "field_type": kind,
        "value_text": _text(value),
        "value_list": value if kind == "MULTISELECT" else None,
        "value_at": microseconds(datetime.fromisoformat(value)) if value and kind in {"DATETIME", "SIGNOFF"} else None,
        "entered_part_inventory_id": tool.get("id"),
        "entered_serial_number": tool.get("serialNumber"),
        "filename": files.get(entered.get("fileAttachmentId")),
        "is_not_applicable": bool(entered.get("notApplicable")),
        "recorded_at": microseconds(ended if is_late else changed),
        "recorded_by_id": step.get("completedById") if is_late else entered.get("updatedById"),
    }


def _text(value: Any) -> str | None:
    """A value as text; of a link to a file, the part that does not expire."""
    if value is None or isinstance(value, str):
        return value.partition("?X-Amz-")[0] if value else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
