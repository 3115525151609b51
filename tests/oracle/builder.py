"""Builds small worlds in a few lines: ION rows for parts, units, requirements and installations.

The rows cover only genealogy and have every field that the schema requires.  The caller decides which worlds to build.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.oracle.world import Row, World

_START = datetime(2026, 3, 1, 8, 15, 0, 123456, tzinfo=UTC)
ENTITIES = (
    "users",
    "parts",
    "mboms",
    "mbomItems",
    "partInventories",
    "buildRequirements",
    "abomInstallations",
    "abomItems",
    "aBomEdges",
)


class WorldBuilder:
    """Collects rows; each method adds one and returns its id. The ids of each entity count up from ``first_id``."""

    def __init__(self, first_id: int = 1) -> None:
        self.first_id = first_id
        self.world: World = {name: [] for name in ENTITIES}
        self._designators = first_id - 1
        for number, name in ((1, "Ada Lovelace"), (2, "Grâce Hopper"), (3, "李 工")):
            self.add(
                "users",
                id=number,
                name=name,
                email=f"user{number}@example.com",
                organizationId=1,
                entityId=number,
                deactivated=False,
                enforceMfa=False,
                ionBot=False,
                notificationEmailsEnabled=False,
            )

    def add(self, entity: str, **fields: object) -> int:
        """Append a row of any entity; the id, users and times are filled in."""
        rows = self.world[entity]
        row_id = fields.pop("id", self.first_id + len(rows))
        assert isinstance(row_id, int)
        stamps: Row = {
            "_created": (_START + timedelta(seconds=row_id)).isoformat(),
            "_updated": (_START + timedelta(days=1, seconds=row_id)).isoformat(),
            "_etag": f"{entity}-{row_id}",
        }
        if entity != "users":
            stamps |= {"createdById": row_id % 3 + 1, "updatedById": 1}
        rows.append({"id": row_id, **stamps, **fields})
        return row_id

    def part(self, tracking: str | None = "SERIAL") -> int:
        """Add a part revision, tracked by SERIAL, by LOT or not at all."""
        number = self.first_id + len(self.world["parts"])
        return self.add(
            "parts",
            entityId=number,
            partNumber=f"P-{number}",
            revision="A",
            description=f"Part № {number}",
            partType="PART",
            trackingType=tracking,
        )

    def unit(self, part: int, quantity: float = 1.0) -> int:
        """Add a unit or lot of a part; serial number, lot number and tracking depend on the part."""
        tracking = self._row("parts", part)["trackingType"]
        number = self.first_id + len(self.world["partInventories"])
        return self.add(
            "partInventories",
            entityId=number,
            partId=part,
            quantity=float(quantity),
            quantityScrapped=0.0,
            trackingType=tracking,
            serialNumber=f"S{number}" if tracking == "SERIAL" else None,
            lotNumber=f"L{number}" if tracking == "LOT" else None,
        )

    def requirement(
        self,
        parents: Sequence[int],
        part: int,
        *,
        per_unit: float | None = None,
        fixed: float | None = None,
        designators: Sequence[str] = (),
        made_on_assembly: bool = False,
    ) -> int:
        """Add a build requirement of one or several parent units, with the planned line it came from."""
        if not self.world["mboms"]:
            self.add("mboms", partId=part, version=1, status="RELEASED", entityId=float(self.first_id))
        planned = self.add(
            "mbomItems",
            mbomId=self.first_id,
            partId=part,
            quantity=per_unit or fixed or 0.0,
            madeOnAssembly=made_on_assembly,
        )
        requirement = self.first_id + len(self.world["buildRequirements"])
        named = []
        for value in designators:
            self._designators += 1
            named.append({"id": self._designators, "buildRequirementId": requirement, "value": value})
        return self.add(
            "buildRequirements",
            partId=part,
            originMbomItemId=planned,
            madeOnAssembly=made_on_assembly,
            quantityPerParentPartInventory=per_unit,
            fixedQuantityPerBuildRequirement=fixed,
            partInventories=[{"id": parent} for parent in parents],
            referenceDesignators=named,
        )

    def install(
        self, requirement: int | None, child: int, quantity: float | None = 1.0, designator: str | None = None
    ) -> int:
        """Install a unit, or part of a lot, on a requirement, at one of its designators."""
        named = self._row("buildRequirements", requirement)["referenceDesignators"] if requirement else []
        return self.add(
            "abomInstallations",
            buildRequirementId=requirement,
            partInventoryId=child,
            quantity=quantity,
            buildRequirementReferenceDesignatorId=next((d["id"] for d in named if d["value"] == designator), None),
        )

    def put(self, parent: int, child: int, quantity: float | None = 1.0) -> int:
        """Install a unit on a new requirement of the parent that requires the same quantity."""
        part = self._row("partInventories", child)["partId"]
        return self.install(self.requirement([parent], part, per_unit=quantity), child, quantity)

    def _row(self, entity: str, row_id: int) -> Row:
        return next(row for row in self.world[entity] if row["id"] == row_id)
