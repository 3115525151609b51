"""What people do in the small factory, as changes that fit the rows there are."""

from tests.integration.support.changing_world import Change, Tenant, add, delete, update

DEEDS = (
    "change",
    "attribute",
    "attribute and touch",
    "label",
    "insert",
    "insert between",
    "delete",
    "replace",
    "re-parent",
    "link",
    "unlink",
    "unwatched",
)


class People:
    """Turn deeds into changes that fit the tenant as it is when they happen."""

    def __init__(self, tenant: Tenant) -> None:
        self._rows = tenant.world.rows
        self._new = 10_000

    def changes(self, deed: str, which: int) -> list[Change]:
        self._new += 3
        entity, name = [("parts", "parts"), ("partInventories", "part_inventories")][which % 2]
        part, unit, installation, requirement = (
            self._one(table, which)
            for table in ("parts", "part_inventories", "abom_installations", "build_requirements")
        )
        other = self._one("part_inventories", which + 7)
        value = [{"key": "colour", "value": self._new}]
        links = [{"id": unit}, {"id": other}]
        made: dict[str, list[Change]] = {
            "change": [update("parts", part, description=f"changed {self._new}")],
            "attribute": [update(entity, self._one(name, which), attributes=value)],
            "attribute and touch": [update(entity, self._one(name, which), touch=True, attributes=value[: which % 2])],
            "label": [update("partInventories", unit, touch=True, labels=[{"id": 10 * (which % 6 + 1)}])],
            "insert": [add("parts", id=self._new, partNumber=f"N-{self._new}", attributes=value)],
            "insert between": self._between(which),
            "delete": [self._deletion(which)],
            "replace": [
                delete("abomInstallations", installation),
                add("abomInstallations", id=self._new, partInventoryId=unit, quantity=1),
            ],
            "re-parent": [update("abomInstallations", installation, partInventoryId=other)],
            "link": [update("buildRequirements", requirement, touch=True, partInventories=links)],
            "unlink": [update("buildRequirements", requirement, touch=True, partInventories=[])],
            "unwatched": [update("validationFunctions", 10 * (which % 5 + 1), displayName=str(self._new))],
        }
        return made[deed]

    def _one(self, table: str, which: int) -> int:
        """An existing row. Neighbouring numbers give neighbouring rows, so that changes concern the same rows."""
        ids = sorted(key[0] for key in self._rows[table])
        return int(ids[which % len(ids)])

    def _between(self, which: int) -> list[Change]:
        row_id = 10 * (which % 40) + 5
        is_there = (row_id,) in self._rows["abom_installations"]
        return [] if is_there else [add("abomInstallations", id=row_id, quantity=which)]

    def _deletion(self, which: int) -> Change:
        links = sorted(self._rows["issue_part_inventories"])
        if which % 4 == 0 and len(links) > 1:
            return delete("issuePartInventories", list(links[which % len(links)]))
        entity, table = [
            ("abomInstallations", "abom_installations"),
            ("buildRequirements", "build_requirements"),
            ("parts", "parts"),
        ][which % 3]
        return delete(entity, self._one(table, which))
