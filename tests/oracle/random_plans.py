"""Random plans and random histories of editing them: versions, drafts, edits in place, deletions. Instants: hours."""

import copy
import itertools
import random
from typing import Any

from tests.oracle.world import Row, World

LOADS = (100, 200, 300)
_FAMILIES = 6
_ID_RANGE = 10_000
_ENTITIES = ("parts", "mboms", "mbomItems", "mbomItemReferenceDesignators", "mbomSubstitutes")
# Several spellings of the same places.
_PLACES = ("X1", "X2", "X3", "X4", " x1", "x2-X4", "X3, X1")


class PlanWriter:
    """Writes mBOMs as users do; ids count up and are never reused."""

    def __init__(self, rng: random.Random, first_id: int) -> None:
        self.rng = rng
        self.world: World = {name: [] for name in _ENTITIES}
        self.first_id = self._id = first_id

    def add(self, entity: str, **fields: Any) -> Row:
        self._id += 1
        row = {"id": self._id, **fields}
        self.world[entity].append(row)
        return row

    def level(self, part: int) -> int:
        [row] = [row for row in self.world["parts"] if row["id"] == part]
        return int(row["partNumber"].split(".")[1])

    def line(self, mbom: Row) -> None:
        """A line with a part of a deeper level, so that these plans have no cycle."""
        deeper = [row["id"] for row in self.world["parts"] if self.level(row["id"]) > self.level(mbom["partId"])]
        if deeper:
            item = self.add(
                "mbomItems",
                mbomId=mbom["id"],
                partId=self.rng.choice(deeper),
                quantity=self.rng.choice((1.0, 2.0, 2.0, 0.5, 0.0)),
                madeOnAssembly=self.rng.random() < 0.2,
                _deleted=self.rng.random() < 0.1,
            )
            for value in self.rng.sample(_PLACES, self.rng.choice((0, 0, 0, 1, 2))):
                self.add("mbomItemReferenceDesignators", mbomItemId=item["id"], value=value)
            if self.rng.random() < 0.3:
                self.add("mbomSubstitutes", mbomItemId=item["id"], partId=self.rng.choice(self.world["parts"])["id"])

    def version(self, part: int, status: str, created: float) -> Row:
        """The next version of a part: a copy of the previous one with one or two edits, or a new one."""
        before = [row for row in self.world["mboms"] if row["partId"] == part]
        mbom = self.add(
            "mboms", partId=part, version=len(before) + 1, status=status, _created=created, _updated=created
        )
        for row in [row for row in self.world["mbomItems"] if before and row["mbomId"] == before[-1]["id"]]:
            item = self.add("mbomItems", **_less(row, "id", "mbomId"), mbomId=mbom["id"])
            for name in ("mbomItemReferenceDesignators", "mbomSubstitutes"):
                for inner in [inner for inner in self.world[name] if inner["mbomItemId"] == row["id"]]:
                    self.add(name, **_less(inner, "id", "mbomItemId"), mbomItemId=item["id"])
        for _ in range(self.rng.randint(0, 3)):
            self.line(mbom)
        for _ in range(self.rng.randint(0, 2)):
            self.edit(mbom)
        return mbom

    def edit(self, mbom: Row) -> None:
        """Change a line in place."""
        items = [row for row in self.world["mbomItems"] if row["mbomId"] == mbom["id"]]
        if not items:
            return
        item = self.rng.choice(items)
        inner = self.rng.choice(("mbomItemReferenceDesignators", "mbomSubstitutes"))
        match self.rng.randint(0, 6):
            case 0:
                item["quantity"] = self.rng.choice((1.0, 2.0, 4.0))
            case 1:
                item["madeOnAssembly"] = not item["madeOnAssembly"]
            case 2:
                item["_deleted"] = not item["_deleted"]
            case 3:
                level = self.level(mbom["partId"])
                item["partId"] = self.rng.choice([p["id"] for p in self.world["parts"] if self.level(p["id"]) > level])
            case 4:
                self.world[inner] = [row for row in self.world[inner] if row["mbomItemId"] != item["id"]]
            case 5:
                self.world["mbomItems"].remove(item)
            case _:
                value = (
                    {"value": self.rng.choice(_PLACES)}
                    if "Desig" in inner
                    else {"partId": self.first_id + self.rng.randint(1, 3)}
                )
                self.add(inner, mbomItemId=item["id"], **value)

    def day(self, begin: int, end: int) -> None:
        """Make the edits between two loads."""
        for mbom in self.rng.sample(self.world["mboms"], min(len(self.world["mboms"]), self.rng.randint(0, 3))):
            self.edit(mbom)
        for part in self.rng.sample(self.world["parts"], 2):
            drafts = [m for m in self.world["mboms"] if m["partId"] == part["id"] and m["status"] == "DRAFT"]
            released = [m for m in self.world["mboms"] if m["partId"] == part["id"] and m["status"] == "RELEASED"]
            if self.level(part["id"]) == _FAMILIES - 1:
                continue
            for mbom in released if self.rng.random() < 0.8 else ():
                mbom |= {"status": "ARCHIVED", "_updated": end - 1}
            if drafts:
                drafts[-1]["status"] = "RELEASED"
            elif self.rng.random() < 0.8:
                self.version(part["id"], self.rng.choice(("RELEASED", "DRAFT")), self.rng.randint(begin, end - 1))
        if self.rng.random() < 0.2:
            gone = self.rng.choice(self.world["mboms"])
            self.world["mboms"].remove(gone)


def _less(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def random_loads(rng: random.Random, tenants: int = 12) -> list[tuple[int, World]]:
    """Return three loads of several small, independent tenants."""
    histories = [_loads(PlanWriter(rng, place * _ID_RANGE)) for place in range(tenants)]
    return [
        (hour, {name: [row for history in histories for row in history[place][name]] for name in _ENTITIES})
        for place, hour in enumerate(LOADS)
    ]


def _loads(writer: PlanWriter) -> list[World]:
    rng, prefix = writer.rng, f"P{writer.first_id}"
    for family in range(_FAMILIES):
        for revision in "AB"[: rng.choice((1, 1, 2))]:
            writer.add("parts", partNumber=f"{prefix}.{family}", revision=revision)
    for part in [row["id"] for row in writer.world["parts"]]:
        if writer.level(part) < _FAMILIES - 1 and rng.random() < 0.8:
            created = sorted(rng.sample(range(1, LOADS[0]), 2))
            if rng.random() < 0.5:
                old = writer.version(part, "ARCHIVED", created[0])
                old["_updated"] = rng.randint(created[0], LOADS[0] - 1)
            writer.version(part, rng.choice(("RELEASED", "RELEASED", "DRAFT")), created[1])
    loads = [copy.deepcopy(writer.world)]
    for begin, end in itertools.pairwise(LOADS):
        if writer.world["mboms"]:
            writer.day(begin, end)
        loads.append(copy.deepcopy(writer.world))
    return loads
