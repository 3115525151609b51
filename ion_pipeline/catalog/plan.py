"""What will be read and how: the outcome of `negotiate`, before anything is fetched. Pure data, printable."""

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
    """How a tenant's schema differs from the catalog, for one entity. Fields as `Type.field`.

    Attributes:
        missing: Fields and lists the tenant lacks; their columns are null, their tables not read.
        new: Fields of the tenant that the catalog does not have.
        retyped: Fields of another type that convert without loss, as `Type.field: catalog's type -> tenant's type`.
        new_values: Values of enums that the catalog does not know, as `Enum.VALUE`; kept as they are.
    """

    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    new_values: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.new or self.retyped or self.new_values)


RowVersion = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TrackedList:
    """A list whose rows have an instant of change of their own: attributes.

    Attributes:
        field: The list's field.
        key: The field that tells its rows apart.
        etag: The field of their etag.
    """

    field: str
    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class ChangeTracking:
    """What a tenant offers to see that an entity's rows have changed. Nothing, unless said.

    Attributes:
        updated: Rows can be filtered by their `_updated`.
        lists: Lists inside whose own `_updated` can be filtered by: attributes, which may change without their owner.
        etag: The field of the rows' etag, empty if there is none.
        by_id: Rows can be read in order of their ids, by ranges of ids and by ids.
        flag: The field that says a row is export controlled, where rows can be filtered by it; empty otherwise.
    """

    updated: bool = False
    lists: tuple[TrackedList, ...] = ()
    etag: str = ""
    by_id: bool = False
    flag: str = ""

    def changed_since(self, instant: datetime) -> dict[str, Any]:
        """The filter for rows that have changed, themselves or in their lists."""
        changed = {"_updated": {"gte": instant.isoformat()}}
        if not self.lists:
            return changed
        return {"or_": [changed, *({inner.field: changed} for inner in self.lists)]}

    @property
    def version_fields(self) -> tuple[str, ...]:
        """What to select for `mark`; nothing where there is no etag."""
        if not (self.etag and self.by_id):
            return ()
        return ("id", self.etag, *(f"{inner.field} {{ {inner.key} {inner.etag} }}" for inner in self.lists))

    def version(self, node: Mapping[str, Any]) -> RowVersion:
        """What differs whenever a row or one of its watched lists has changed."""
        lists = (((row[inner.key], row[inner.etag]) for row in node[inner.field] or ()) for inner in self.lists)
        return (node[self.etag], *map(list_version, lists))


def list_version(rows: Iterable[tuple[Any, Any]]) -> tuple[tuple[Any, Any], ...]:
    """The key and etag of a list's rows in an order of their own, which a null among them does not upset."""
    return tuple(sorted(rows, key=lambda row: (str(row[0]), str(row[1]))))


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """What is asked for where an entity has a connection of its own.

    Attributes:
        shape: What is read and which tables it goes to.
        page: The document of a page.
        count: The document that asks for `totalCount` alone.
        signature: What of a row tells whether it is as it was.
        signature_page: The document of a page of signatures.
        filters_type: GraphQL type of the connection's `filters`; empty if it takes none.
        tracking: How changes show.
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
        reason: Why this paging, in a few words.
        query: What is asked for; None where it is nested or absent.
        carrier: Name of the entity it is nested in.
        drift: Differences from the catalog.
    """

    entity: Entity
    paging: Paging
    reason: str
    query: EntityQuery | None = None
    carrier: str | None = None
    drift: Drift = field(default_factory=Drift)

    @property
    def name(self) -> str:
        """Name of the entity."""
        return self.entity.name

    @property
    def strategy(self) -> Literal["full"]:
        """All rows are read, each time."""
        return "full"

    @property
    def query_hash(self) -> str:
        """Identifies what was asked for; empty without a query of its own."""
        return hashlib.sha256(self.query.page.encode()).hexdigest() if self.query else ""


@dataclass(frozen=True)
class Plan:
    """All that one read will do.

    Attributes:
        entities: In the schema's order; an entity that carries another is there even if it was not asked for.
        abom_route: Where generation 2 of the as-built BOM comes from: its root connections, nested lists under part
            inventories, or nowhere. Generation 1 (`abom_items`, `abom_edges`) is read beside it, where there is any.
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
