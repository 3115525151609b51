"""Data that any row may have: custom fields of every type on every owner, files, labels, and comments in any script."""

from ion_pipeline.sandbox.factory.attributes import OWNERS, every_kind
from ion_pipeline.sandbox.factory.planter import Planter
from ion_pipeline.sandbox.factory.showcase import Shown
from ion_pipeline.sandbox.factory.text import AWKWARD, long_text, slate

_FILED = (
    "issues", "partInventories", "partKitItems", "partKits", "parts", "plans", "purchaseOrders", "receipts", "runSteps",
    "runs", "suppliers",
)  # fmt: skip


def build_paperwork(p: Planter, shown: Shown) -> None:
    """Creates these data and, among others, the truths `awkward_texts`, `signed_links` and `long_text`."""
    _attributes(p)
    _files(p)
    _labels(p, shown)
    _comments(p, shown)


def _attributes(p: Planter) -> None:
    f = p.f
    part, user = f.design.part("ENG-1000"), f.store.live("users")[1]
    owners = {}
    for root in OWNERS:
        owner = f.store.live(root)[-1]
        every_kind(f.store, root, owner, part, user, p.tick(), p.by)
        owners[root] = owner["id"]
    p.truths["attributes_of_every_kind"] = owners
    p.truths["signed_links"] = {"key": "Certificate link", "served_without_query": "https://files.example/x.pdf"}


def _files(p: Planter) -> None:
    store = p.f.store
    for root in _FILED:
        store.attach(store.live(root)[-1], f"{root} - protocol.pdf", "application/pdf", p.tick(), p.by)
    part, place, step = p.f.design.part("AV-2000"), store.live("locations")[0], store.live("steps")[0]
    for owner, column, link, name in (
        (part, "thumbnailId", "thumbnail", "part.png"), (place, "imageId", "image", "site.jpg"),
        (step, "pdfAssetId", "pdf", "instruction.pdf"),
    ):  # fmt: skip
        key = store.next_id("FileAttachment")
        owner[column] = key
        owner[link] = store.file(key, f"assets/{key:06d}/{name}", name, "application/octet-stream", p.tick(), p.by)
    step["assets"] = [store.file(store.next_id("FileAttachment"), "assets/a.png", "a.png", "image/png", p.clock, p.by)]


def _labels(p: Planter, shown: Shown) -> None:
    labels = list(p.f.ref.labels.values())
    shown.units[0]["labels"] = [{"id": label} for label in labels]
    shown.runs[0].row["labels"] = [{"id": label} for label in labels[:3]]
    for procedure in list(p.f.design.procedures.values())[:2]:
        procedure.row["familyLabels"] = [{"id": labels[0]}]
        procedure.row["labels"] = ["flight"]
        procedure.steps[0].row["labels"] = [{"id": labels[1]}]
    for root in ("receipts", "partKitItems"):
        p.f.store.live(root)[-1]["labels"] = [{"id": labels[2]}]


def _comments(p: Planter, shown: Shown) -> None:
    """Adds a thread, a comment for each awkward text, one that is null, one that is empty, and one of a megabyte."""
    f = p.f

    def comment(text: str | None, **more: object) -> int:
        fields = {"depth": 0, "entityId": shown.units[0]["entityId"], "procedureFeedback": False, "resolved": False}
        row = f.store.add("comments", p.tick(), p.by, content=text, **{**fields, **more})
        return int(row["id"])

    run = shown.runs[1]
    first = comment("Is this right?", runId=run.row["id"], entityId=run.row["entityId"])
    second = comment("It is.", depth=1, parentId=first, runId=run.row["id"], entityId=run.row["entityId"])
    comment("Thanks 🙏", depth=2, parentId=second, resolved=True, runId=run.row["id"], entityId=run.row["entityId"])
    comment("On a step", runStepId=run.steps[0].row["id"], entityId=run.steps[0].row["entityId"])
    comment("Step three is unclear", procedureFeedback=True, entityId=f.design.procedures["assemble"].row["entityId"])
    texts = {str(comment(text, slateContent=slate(text))): text for text in AWKWARD}
    p.truths["awkward_texts"] = {"table": "comments", "column": "content", "by_id": texts}
    p.truths["null_and_empty"] = {"null_comment_id": comment(None), "empty_comment_id": comment("")}
    long = long_text()
    p.truths["long_text"] = {"comment_id": comment(long), "characters": len(long), "bytes": len(long.encode())}
