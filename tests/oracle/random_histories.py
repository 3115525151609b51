"""Random histories: a small random world and random edits from one load to the next.

The edits include every kind of change of an as-built BOM, and many edits that are no change.
"""

import copy
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from tests.oracle.builder import ENTITIES
from tests.oracle.random_worlds import ID_RANGE, random_world
from tests.oracle.world import Row, World

FIRST_LOAD = datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
_QUANTITIES = (1.0, 1.0, 2.0, 0.5, 3.0, None)


def merged_random_history(seed: int, n: int, loads: int) -> list[tuple[datetime, World]]:
    """Return ``n`` random histories merged into one world per load; equal arguments give equal results."""
    histories = [random_history(random.Random(f"{seed}/{place}"), 1 + place * ID_RANGE, loads) for place in range(n)]
    merged = []
    for load in range(loads):
        world: World = {name: [] for name in (*ENTITIES, "mbomSubstitutes")}
        for place, history in enumerate(histories):
            for name in world:
                if name != "users" or not place:
                    world[name] += history[load][name]
        merged.append((FIRST_LOAD + timedelta(days=load), world))
    return merged


def random_history(rng: random.Random, first_id: int, loads: int) -> list[World]:
    """Return one world per load, each made from the previous one by a few edits."""
    people = _People(rng, random_world(rng, first_id))
    worlds = [copy.deepcopy(people.world)]
    for load in range(1, loads):
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            rng.choice(_EDITS)(people)
        people.day = load
        worlds.append(copy.deepcopy(people.world))
    return worlds


class _People:
    """The world and the random edits of its users."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world, self.day = rng, world, 0
        self._next = max(row["id"] for name, rows in world.items() if name != "users" for row in rows) + 1
        self._gone: list[Row] = []
        world["mbomSubstitutes"] = [
            self._row(mbomItemId=item["id"], partId=self._any(world["parts"])["id"])
            for item in world["mbomItems"]
            if rng.random() < 0.5
        ]

    def _new_id(self) -> int:
        self._next += 1
        return self._next

    def _any(self, rows: Sequence[Row]) -> Row:
        return self.rng.choice(rows) if rows else {}

    def _row(self, **fields: object) -> Row:
        at = (FIRST_LOAD + timedelta(days=self.day, hours=-3)).isoformat()
        return {"id": self._new_id(), "_created": at, "_updated": at, "createdById": 2, **fields}

    def _touch(self, row: Row, **fields: object) -> None:
        at = (FIRST_LOAD + timedelta(days=self.day, hours=-2, seconds=self.rng.randint(0, 99))).isoformat()
        row |= {"_updated": at, **fields}

    def _unit(self) -> int | None:
        return self._any(self.world["partInventories"]).get("id")

    def _designator(self, requirement: Row) -> int | None:
        named = requirement.get("referenceDesignators") or []
        return self.rng.choice([None, *(d["id"] for d in named)])

    def install(self) -> None:
        requirement = self._any(self.world["buildRequirements"])
        if requirement:
            self.world["abomInstallations"].append(
                self._row(
                    buildRequirementId=requirement["id"],
                    partInventoryId=self._unit(),
                    quantity=self.rng.choice(_QUANTITIES),
                    buildRequirementReferenceDesignatorId=self._designator(requirement),
                )
            )

    def uninstall(self) -> None:
        rows = self.world["abomInstallations"]
        if rows:
            rows.remove(self.rng.choice(rows))

    def replace(self) -> None:
        row = self._any(self.world["abomInstallations"])
        if row and self.rng.random() < 0.5:
            self._touch(row, partInventoryId=self._unit())
        elif row:
            self.world["abomInstallations"].remove(row)
            self.world["abomInstallations"].append(
                self._row(**{k: v for k, v in row.items() if k != "id"} | {"partInventoryId": self._unit()})
            )

    def swap(self) -> None:
        rows = self.world["abomInstallations"]
        if len(rows) > 1:
            one, other = self.rng.sample(rows, 2)
            mine, theirs = one["partInventoryId"], other["partInventoryId"]
            self._touch(one, partInventoryId=theirs)
            self._touch(other, partInventoryId=mine)

    def write_anew(self) -> None:
        row = self._any(self.world["abomInstallations"])
        if row:
            self.world["abomInstallations"].remove(row)
            self.world["abomInstallations"].append(self._row(**{k: v for k, v in row.items() if k != "id"}))

    def move(self) -> None:
        row, requirement = self._any(self.world["abomInstallations"]), self._any(self.world["buildRequirements"])
        if row and requirement:
            self._touch(
                row,
                buildRequirementId=requirement["id"],
                buildRequirementReferenceDesignatorId=self._designator(requirement),
            )

    def requantify(self) -> None:
        row = self._any(self.world["abomInstallations"])
        if row:
            self._touch(row, quantity=self.rng.choice(_QUANTITIES))

    def require(self) -> None:
        requirement = self._any(self.world["buildRequirements"])
        parents = [{"id": unit} for unit in {self._unit() for _ in range(self.rng.choice((1, 1, 2)))}]
        self.world["buildRequirements"].append(
            self._row(
                partId=self._any(self.world["parts"])["id"],
                originMbomItemId=requirement.get("originMbomItemId"),
                quantityPerParentPartInventory=self.rng.choice((1.0, 2.0, 0.0, None)),
                partInventories=parents,
                referenceDesignators=[
                    {"id": self._new_id(), "value": f"R{n}"} for n in range(self.rng.choice((0, 0, 2)))
                ],
            )
        )

    def unrequire(self) -> None:
        rows = self.world["buildRequirements"]
        if rows:
            row = self.rng.choice(rows)
            rows.remove(row)
            if self.rng.random() < 0.5:
                kept = [r for r in self.world["abomInstallations"] if r["buildRequirementId"] != row["id"]]
                self.world["abomInstallations"] = kept

    def change_requirement(self) -> None:
        row = self._any(self.world["buildRequirements"])
        if row:
            field = self.rng.choice(("quantity", "part", "parents", "made", "nothing"))
            if field == "quantity":
                self._touch(row, quantityPerParentPartInventory=self.rng.choice((0.0, 1.0, 2.0, None)))
            elif field == "part":
                self._touch(row, partId=self._any(self.world["parts"])["id"])
            elif field == "parents":
                units = [{"id": unit} for unit in {self._unit() for _ in range(self.rng.choice((0, 1, 2)))}]
                self._touch(row, partInventories=units)
            elif field == "made":
                self._touch(row, madeOnAssembly=not row.get("madeOnAssembly"))
            else:
                self._touch(row)

    def change_designators(self) -> None:
        row = self._any([r for r in self.world["buildRequirements"] if r["referenceDesignators"]])
        if row:
            named = list(row["referenceDesignators"])
            one = self.rng.choice(named)
            named.remove(one)
            if self.rng.random() < 0.6:
                named.append({**one, "value": self.rng.choice(("R1", "r1 ", "R0-R1", "X9", "", " "))})
            self._touch(row, referenceDesignators=named)

    def change_unit(self) -> None:
        row = self._any(self.world["partInventories"])
        field = self.rng.choice(("part", "quantity", "quantity", "serial", "status"))
        if field == "part":
            old = next(part for part in self.world["parts"] if part["id"] == row["partId"])
            alike = [part["id"] for part in self.world["parts"] if part["trackingType"] == old["trackingType"]]
            self._touch(row, partId=self.rng.choice([*alike, self._revision(old)]))
        elif field == "quantity":
            self._touch(row, quantity=self.rng.choice((0.0, 1.0, 4.0, 10.0)))
        elif field == "serial":
            self._touch(row, serialNumber=f"S{self._new_id()}")
        else:
            self._touch(row, status="SCRAPPED")

    def _revision(self, old: Row) -> int:
        new = copy.deepcopy(old) | {"id": self._new_id(), "revision": "B", "revisedFromId": old["id"]}
        self.world["parts"].append(new)
        return int(new["id"])

    def lose_or_find_unit(self) -> None:
        rows = self.world["partInventories"]
        if self._gone and self.rng.random() < 0.6:
            rows.append(self._gone.pop())
        elif len(rows) > 1:
            row = self.rng.choice(rows)
            rows.remove(row)
            self._gone.append(row)

    def change_item(self) -> None:
        row = self._any(self.world["abomItems"])
        if row:
            field = self.rng.choice(("unit", "unit", "quantity", "required", "designator", "nothing"))
            if field == "unit":
                self._touch(row, partInventoryId=self.rng.choice((None, self._unit())))
            elif field == "quantity":
                self._touch(row, quantity=self.rng.choice(_QUANTITIES))
            elif field == "required":
                self._touch(row, expectedQuantityPer=self.rng.choice((0.0, 1.0, 2.0)))
            elif field == "designator":
                new = {"id": self._new_id(), "value": self.rng.choice(("R1", " r1", "X9"))}
                self._touch(row, referenceDesignator=self.rng.choice((None, new)))
            else:
                self._touch(row)

    def make_item_again(self) -> None:
        """Delete an item with its edges and re-create it unchanged under another id."""
        items, edges = self.world["abomItems"], self.world["aBomEdges"]
        if items:
            old = self.rng.choice(items)
            named = old.get("referenceDesignator")
            new = self._row(**_less(old)) | {"referenceDesignator": named and {**named, "id": self._new_id()}}
            items[items.index(old)] = new
            for edge in [edge for edge in edges if old["id"] in (edge["parentAbomItemId"], edge["childAbomItemId"])]:
                ends = {
                    end: new["id"] if edge[end] == old["id"] else edge[end]
                    for end in ("parentAbomItemId", "childAbomItemId")
                }
                edges[edges.index(edge)] = self._row(**ends)

    def make_requirement_again(self) -> None:
        """Delete a requirement with its installations, and re-create all of it unchanged."""
        requirements, installed = self.world["buildRequirements"], self.world["abomInstallations"]
        if requirements:
            old = self.rng.choice(requirements)
            named = {designator["id"]: self._new_id() for designator in old["referenceDesignators"]}
            new = self._row(**_less(old))
            new["referenceDesignators"] = [{**d, "id": named[d["id"]]} for d in old["referenceDesignators"]]
            requirements[requirements.index(old)] = new
            for row in [row for row in installed if row["buildRequirementId"] == old["id"]]:
                place = row["buildRequirementReferenceDesignatorId"]
                installed[installed.index(row)] = self._row(**_less(row)) | {
                    "buildRequirementId": new["id"],
                    "buildRequirementReferenceDesignatorId": named.get(place, place),
                }

    def change_edges(self) -> None:
        edges, items = self.world["aBomEdges"], self.world["abomItems"]
        if edges and self.rng.random() < 0.5:
            edges.remove(self.rng.choice(edges))
        elif items:
            self.world["aBomEdges"].append(
                self._row(parentAbomItemId=self._any(items)["id"], childAbomItemId=self._any(items)["id"])
            )


def _less(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("id", "_created", "_updated", "createdById")}


_EDITS: tuple[Callable[[_People], None], ...] = (
    *[_People.install] * 3,
    *[_People.uninstall] * 2,
    *[_People.replace] * 2,
    _People.swap,
    _People.write_anew,
    *[_People.move] * 2,
    *[_People.requantify] * 2,
    *[_People.require] * 2,
    _People.unrequire,
    *[_People.change_requirement] * 2,
    _People.change_designators,
    *[_People.change_unit] * 2,
    _People.lose_or_find_unit,
    *[_People.change_item] * 2,
    _People.change_edges,
    _People.make_item_again,
    _People.make_requirement_again,
)
