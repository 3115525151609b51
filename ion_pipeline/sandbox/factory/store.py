"""Where rows are made: ids, system fields and etags as ION gives them. Knows no factory, only the schema's columns."""

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


#: Their `entityId` is somebody else's handle, not their own.
_POINTS_AT_ENTITY = frozenset({"BarcodeLabel", "UserSubscription"})


def enum_values(name: str) -> list[str]:
    """The values of one of the schema's enums, in the schema's order."""
    kind = known_schema().type_map[name]
    if not isinstance(kind, GraphQLEnumType):
        raise TypeError(f"{name} is not an enum")
    return list(kind.values)


class Store:
    """All rows of a world in the making.

    Attributes:
        writes: Rows written so far, changes included; what etags are made of.
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
        """The next id of a kind of row: a root connection's name, or a type that stands inline."""
        self._ids[kind] += 1
        return self._ids[kind]

    def etag(self) -> str:
        """An opaque text that no other write of this world has."""
        self.writes += 1
        return f"{self.writes * _ETAG_FACTOR & _ETAG_MASK:016x}"

    def add(self, root: str, when: datetime, by: int | None, /, **fields: Any) -> Row:
        """Creates a row with its system fields.

        Args:
            root: The root connection it belongs to.
            when: Instant of creation.
            by: User id.
            fields: Everything else, in ION's field names.
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
        """Changes a row as a write in ION does: new etag, `_updated` never goes back."""
        moment = iso(when)
        row.update(changes)
        row["_updated"] = max(row["_updated"], moment)
        row["_etag"] = self.etag()
        if by is not None and "updatedById" in row:
            row["updatedById"] = by
        return row

    def delete(self, root: str, row: Row) -> None:
        """Removes a row for good (ION: un-installing and merging really delete)."""
        self._deleted[root].add(row["id"])

    def live(self, root: str) -> list[Row]:
        """The rows that are still there, in order of creation."""
        gone = self._deleted[root]
        if gone:
            self._rows[root] = [row for row in self._rows[root] if row["id"] not in gone]
            gone.clear()
        return self._rows[root]

    def tables(self) -> dict[str, list[Row]]:
        """Every root connection's rows."""
        return {root: self.live(root) for root in self._rows}

    def step_edges(self, kind: str, step: Row, upstream: list[int], when: datetime, by: int) -> list[Row]:
        """The edges from a step to those before it (`StepsEdge`, `RunStepsEdge`), which stand inline on the step."""
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
        """A file attachment's row; its two links are signed, as ION's are: credentials for who holds them."""
        signed = (
            f"https://files.example/{path}?X-Amz-Signature={key * _ETAG_FACTOR & _ETAG_MASK:016x}&Expires=1790000000"
        )
        return {
            "id": key, "_created": iso(when), "_updated": iso(when), "_etag": self.etag(), "createdById": by,
            "updatedById": by, "s3Bucket": "ion-files", "s3Key": path, "filename": filename,
            "contentType": content_type, "downloadUrl": signed, "url": signed,
        }  # fmt: skip
