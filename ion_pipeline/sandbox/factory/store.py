"""Creates rows with ids, system fields and etags as ION does. Depends only on the schema, not on the factory."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import GraphQLEnumType

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.model import NodeType, known_model

Row = dict[str, Any]

_ETAG_FACTOR = 0x9E3779B97F4A7C15  # odd, hence a bijection modulo 2^64: no two writes share an etag
_ETAG_MASK = (1 << 64) - 1
_SESSION_EVERY = 4


@dataclass(frozen=True, slots=True)
class _Layout:
    created: str
    updated: str
    etag: str
    has_id: bool
    has_creator: bool
    has_updater: bool
    entity_as: type[int] | type[float] | None
    has_session: bool


def _layout(node: NodeType) -> _Layout:
    columns = node.columns
    entity_as: type[int] | type[float] | None = None
    own_entity = "entityId" in columns and columns["entityId"].default is not None
    if own_entity and node.name not in _POINTS_AT_ENTITY:
        entity_as = float if columns["entityId"].kind == "Float" else int
    return _Layout(
        created=node.system("_created") or "",
        updated=node.system("_updated") or "",
        etag=node.system("_etag") or "",
        has_id="id" in columns and columns["id"].kind == "Int",
        has_creator="createdById" in columns,
        has_updater="updatedById" in columns,
        entity_as=entity_as,
        has_session="LastSessionId" in columns,
    )


#: Types whose `entityId` is that of another row.
_POINTS_AT_ENTITY = frozenset({"BarcodeLabel", "UserSubscription"})


def enum_values(name: str) -> list[str]:
    """The values of one of the schema's enums, in the schema's order."""
    kind = known_schema().type_map[name]
    if not isinstance(kind, GraphQLEnumType):
        raise TypeError(f"{name} is not an enum")
    return list(kind.values)


class Store:
    """All rows of a world that is being built.

    Attributes:
        writes: Number of writes so far, including changes; etags are derived from it.
    """

    def __init__(self) -> None:
        model = known_model()
        self.writes = 0
        self._rows: dict[str, list[Row]] = {root: [] for root in model.roots}
        self._layouts = {root: _layout(model.of_root(root)) for root in model.roots}
        self._ids: defaultdict[str, int] = defaultdict(int)
        self._deleted: defaultdict[str, set[int]] = defaultdict(set)
        self._entity = 0

    def next_id(self, kind: str) -> int:
        """The next id of a kind of row: `kind` is a root connection, or a type whose rows are inline."""
        self._ids[kind] += 1
        return self._ids[kind]

    def etag(self) -> str:
        """An opaque text that is unique for each write of this world."""
        self.writes += 1
        return f"{self.writes * _ETAG_FACTOR & _ETAG_MASK:016x}"

    def add(self, root: str, when: datetime, by: int | None, /, **fields: Any) -> Row:
        """Creates a row with its system fields.

        Args:
            root: The root connection it belongs to.
            when: Instant of creation.
            by: User id.
            fields: All other fields, with ION's names.
        """
        layout = self._layouts[root]
        moment = iso(when)
        row: Row = {"id": self.next_id(root)} if layout.has_id else {}
        row[layout.created] = moment
        row[layout.updated] = moment
        row[layout.etag] = self.etag()
        if layout.has_creator:
            row["createdById"] = by
        if layout.has_updater:
            row["updatedById"] = by
        if layout.entity_as is not None:
            self._entity += 1
            row["entityId"] = layout.entity_as(self._entity)
        if layout.has_session and self.writes % _SESSION_EVERY == 0:
            row["LastSessionId"] = f"session-{self.writes:x}"
        row.update(fields)
        self._rows[root].append(row)
        return row

    def touch(self, row: Row, when: datetime, by: int | None = None, /, **changes: Any) -> Row:
        """Changes a row like a write in ION: it gets a new etag, and `_updated` never decreases."""
        moment = iso(when)
        row.update(changes)
        row["_updated"] = max(row["_updated"], moment)
        row["_etag"] = self.etag()
        if by is not None and "updatedById" in row:
            row["updatedById"] = by
        return row

    def delete(self, root: str, row: Row) -> None:
        """Deletes a row permanently, as ION does when it un-installs or merges."""
        self._deleted[root].add(row["id"])

    def live(self, root: str) -> list[Row]:
        """The rows that are not deleted, in order of creation."""
        deleted = self._deleted[root]
        if deleted:
            self._rows[root] = [row for row in self._rows[root] if row["id"] not in deleted]
            deleted.clear()
        return self._rows[root]

    def tables(self) -> dict[str, list[Row]]:
        """The rows of each root connection."""
        return {root: self.live(root) for root in self._rows}

    def catch_up(self) -> None:
        """Continue the numbers after rows that were added to the tables from outside."""
        for root, rows in self._rows.items():
            if self._layouts[root].has_id:
                self._ids[root] = max((row["id"] for row in rows), default=0)
        self._entity = int(max(row.get("entityId") or 0 for rows in self._rows.values() for row in rows))
        self._ids["Session"] = max(
            int(session["id"]) for step in self._rows["runSteps"] for session in step.get("sessions") or ()
        )

    def step_edges(self, kind: str, step: Row, upstream: list[int], when: datetime, by: int) -> list[Row]:
        """The edges from a step to its upstream steps (`StepsEdge`, `RunStepsEdge`), which are inline in the step."""
        moment = iso(when)
        return [
            {"id": self.next_id(kind), "_created": moment, "_updated": moment, "_etag": self.etag(), "createdById": by,
             "updatedById": by, "stepId": step["id"], "upstreamStepId": before}
            for before in upstream
        ]  # fmt: skip

    def attach(self, owner: Row, filename: str, content_type: str, when: datetime, by: int) -> int:
        """Attaches a file's metadata to a row that has `fileAttachments`; returns the file's id."""
        key = self.next_id("FileAttachment")
        path = f"uploads/{key:06d}/{filename}"
        file = self.file(key, path, filename, content_type, when, by)
        file["entityId"] = int(owner["entityId"])
        owner.setdefault("fileAttachments", []).append(file)
        return key

    def file(self, key: int, path: str, filename: str, content_type: str, when: datetime, by: int) -> Row:
        """The row of a file attachment; its two links are signed like ION's, so that anybody can fetch the file."""
        signed = (
            f"https://files.example/{path}?X-Amz-Signature={key * _ETAG_FACTOR & _ETAG_MASK:016x}&Expires=1790000000"
        )
        return {
            "id": key, "_created": iso(when), "_updated": iso(when), "_etag": self.etag(), "createdById": by,
            "updatedById": by, "s3Bucket": "ion-files", "s3Key": path, "filename": filename,
            "contentType": content_type, "downloadUrl": signed, "url": signed,
        }  # fmt: skip
