"""What to read and how: the result of `negotiate`, before anything is fetched. Pure data, printable."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.catalog.shape import NodeShape

Paging = Literal["keyset", "cursor", "nested", "none"]
AbomRoute = Literal["root", "nested", "none"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How a tenant's schema differs from the catalog, for one entity. Fields are given as `Type.field`.

    Attributes:
        missing: Fields and lists that the tenant lacks; their columns are null, their tables are not read.
        new: Fields of the tenant that the catalog does not have.
        retyped: Fields of another type that convert without loss, as `Type.field: catalog's type -> tenant's type`.
        new_values: Enum values that the catalog does not have, as `Enum.VALUE`; they are stored unchanged.
    """

    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    new_values: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.new or self.retyped or self.new_values)


#: What identifies a row: its id, or else the values of its key as text.
RowIdentity = int | tuple[str, ...]
RowVersion = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TrackedList:
    """A list whose rows have their own `_updated`: attributes.

    Attributes:
        field: The list's field.
        key: The field that identifies a row of the list.
        etag: The field with the rows' etag.
    """

    field: str
    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class ChangeTracking:
    """How a tenant lets changes of an entity's rows be detected. By default: not at all.

    Attributes:
        updated: Rows can be filtered by their `_updated`.
        lists: Lists that can be filtered by their rows' `_updated`: attributes, which may change without their owner.
        etag: The field with the rows' etag; empty if there is none.
        by_id: Rows can be sorted by id, and filtered by ranges of ids and by lists of ids.
        flag: The field that marks a row as export controlled, if rows can be filtered by it; empty otherwise.
        key: The fields that identify a row which has no id, such as a link; empty otherwise.
    """

    updated: bool = False
    lists: tuple[TrackedList, ...] = ()
    etag: str = ""
    by_id: bool = False
    flag: str = ""
    key: tuple[str, ...] = ()

    def changed_since(self, instant: datetime) -> dict[str, Any]:
        """The filter for rows that have changed since an instant, or whose tracked lists have."""
        changed = {"_updated": {"gte": instant.isoformat()}}
        if not self.lists:
            return changed
        return {"or_": [changed, *({inner.field: changed} for inner in self.lists)]}

    @property
    def version_fields(self) -> tuple[str, ...]:
        """What to select for `identity` and `version`; empty if the rows have no etag, or nothing identifies them."""
        identity = ("id",) if self.by_id else self.key
        if not (self.etag and identity):
            return ()
        return (*identity, self.etag, *(f"{inner.field} {{ {inner.key} {inner.etag} }}" for inner in self.lists))

    def identity(self, node: Mapping[str, Any]) -> RowIdentity:
        """What identifies the row; a key's values are text, because ION writes the ids in it as text or as numbers."""
        if not self.by_id:
            return tuple(str(node[name]) for name in self.key)
        identifier: int = node["id"]
        return identifier

    def version(self, node: Mapping[str, Any]) -> RowVersion:
        """A value that differs whenever the row or one of its tracked lists has changed."""
        lists = (((row[inner.key], row[inner.etag]) for row in node[inner.field] or ()) for inner in self.lists)
        return (node[self.etag], *map(list_version, lists))


def list_version(rows: Iterable[tuple[Any, Any]]) -> tuple[tuple[Any, Any], ...]:
    """The key and etag of a list's rows, sorted as text, because a null cannot be compared with other values."""
    return tuple(sorted(rows, key=lambda row: (str(row[0]), str(row[1]))))


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """The queries for an entity that has its own connection.

    Attributes:
        shape: What is read, and into which tables.
        page: The GraphQL document that reads a page of rows.
        count: The GraphQL document that reads only `totalCount`.
        signature: The fields by which a row is compared with the stored one.
        signature_page: The GraphQL document that reads a page of signatures.
        filters_type: GraphQL type of the connection's `filters`; empty if it takes none.
        tracking: How changes can be detected.
    """

    shape: NodeShape
    page: str
    count: str
    signature: NodeShape
    signature_page: str
    filters_type: str = ""
    tracking: ChangeTracking = field(default_factory=ChangeTracking)


@dataclass(frozen=True)
class EntityPlan:
    """How one entity is read.

    Attributes:
        entity: The catalog's entity.
        paging: `keyset` by id, `cursor`, `nested` inside another entity, or `none` where the tenant has no such entity.
        reason: Why this paging was chosen, in a few words.
        query: Its queries; None where the entity is nested or absent.
        carrier: Name of the entity it is nested in.
        list_of: Name of the entity whose list it is in the catalog, if the tenant has a root connection for the list
            too: then the list's table is read from there, row by row, and not with its owners.
        drift: Differences from the catalog.
    """

    entity: Entity
    paging: Paging
    reason: str
    query: EntityQuery | None = None
    carrier: str | None = None
    list_of: str | None = None
    drift: Drift = field(default_factory=Drift)

    @property
    def name(self) -> str:
        """Name of the entity."""
        return self.entity.name

    @property
    def query_hash(self) -> str:
        """Hash of the page query; empty if the entity has none."""
        return hashlib.sha256(self.query.page.encode()).hexdigest() if self.query else ""


@dataclass(frozen=True)
class Plan:
    """Everything that one read will do.

    Attributes:
        entities: In the schema's order; an entity in which another is nested is included even if it was not selected.
        abom_route: Where generation 2 of the as-built BOM comes from: its root connections, nested lists under part
            inventories, or nowhere. Generation 1 (`abom_items`, `abom_edges`) is also read, if the tenant has it.
        new_entities: Root connections of the tenant that the catalog does not have.
    """

    entities: tuple[EntityPlan, ...]
    abom_route: AbomRoute
    new_entities: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, EntityPlan]:
        """The entities by name."""
        return {plan.name: plan for plan in self.entities}

    def carried_by(self, carrier: str) -> Iterator[EntityPlan]:
        """The entities nested in another one."""
        return (plan for plan in self.entities if plan.carrier == carrier)

    def __str__(self) -> str:
        width = max((len(plan.name) for plan in self.entities), default=0)
        lines = [f"{plan.name:<{width}}  {plan.paging:<6}  {plan.reason}" for plan in self.entities]
        return "\n".join([*lines, f"as-built BOM, generation 2: {self.abom_route}"])
