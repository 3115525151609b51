"""Loads the rows of a world into a store, and applies later changes to them.

Inline rows become rows of their own table that point at their owner, links become pairs of keys, and absent fields get
their defaults. The rows have been checked by `check`; this module checks only how rows relate to each other.
"""

import hashlib
import itertools
from datetime import UTC, datetime
from typing import Any

import orjson

from ion_pipeline.sandbox.check import is_attribute, is_inline
from ion_pipeline.sandbox.model import VIEWS, Model, NodeType, Reference
from ion_pipeline.sandbox.store import Key, Row, Store
from ion_pipeline.sandbox.values import DEFAULT_INSTANT
from ion_pipeline.sandbox.world import World, WorldError

#: An edge belongs to two steps of one type; the field that contains it decides which column names the owner.
_EDGE_OWNER = {"upstream": "stepId", "downstream": "upstreamStepId"}


def load_world(world: World, withheld: frozenset[str] = frozenset(), model: Model | None = None) -> Store:
    """A store with all rows of a checked world.

    Args:
        world: A checked world.
        withheld: Types whose export-controlled rows are not answered.
        model: The types of the tenant; those of the shipped schema by default.

    Raises:
        WorldError: Inline rows contradict their owner or each other.
    """
    store = Store(model, withheld)
    writer = Writer(store)
    store.organization_id = world.organization["id"]
    writer.add("Organization", world.organization)
    for root in sorted(world.tables):
        for row in world.tables[root]:
            writer.add(store.model.roots[root], row)
    return store


class Writer:
    """Adds rows to a store, and changes or deletes them as ION's users would."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._numbers = itertools.count(1)
        types = store.model.types
        self._blank = {name: [column.default for column in node.columns.values()] for name, node in types.items()}
        self._system = {
            name: tuple(map(node.system, ("_created", "_updated", "_etag"))) for name, node in types.items()
        }

    def add(self, type_name: str, given: dict[str, Any]) -> Key:
        """Inserts a row and all inline rows in it, and returns its key.

        Raises:
            WorldError: An inline row names another owner, or exists elsewhere with different content.
        """
        node = self.store.model.types[type_name]
        row = self._row(node, given)
        table = self.store.tables[type_name]
        key = table.key_of(row)
        if is_inline(node) and table.get(key) not in (None, row):
            raise WorldError(f"{type_name} {key} occurs in two places with different content.")
        table.put(row)
        self._add_references(node, key, given)
        return key

    def update(self, type_name: str, key: Key, changes: dict[str, Any], *, now: str | None = None) -> None:
        """Changes columns, or replaces a child list or link list.

        `_updated` and `_etag` change if a column changes, but not with inline rows and links, which are separate rows.

        Raises:
            KeyError: There is no such row.
        """
        node, table = self.store.model.types[type_name], self.store.tables[type_name]
        row = list(table.stored(key))
        for name, value in changes.items():
            if name in node.columns:
                column = node.columns[name]
                row[node.slots[name]] = column.default if value is None else column.read(value)
        if changes.keys() & node.columns.keys():
            self._stamp(node, row, now or datetime.now(UTC).isoformat(timespec="microseconds"), changes)
            table.put(row)
        replaced = {name: value for name, value in changes.items() if name in node.references}
        if "upstreamStepIds" in changes and "upstream" in node.references:
            replaced.setdefault("upstream", _edges(changes["upstreamStepIds"] or []))
        for name in replaced:
            self._drop_reference(node, node.references[name], key)
        self._add_references(node, key, replaced)

    def delete(self, type_name: str, key: Key) -> None:
        """Removes a row and all inline rows in it; references to it then resolve to nothing.

        Raises:
            KeyError: There is no such row.
        """
        node = self.store.model.types[type_name]
        if self.store.tables[type_name].remove(key) is None:
            raise KeyError(f"{type_name} {key}")
        for reference in node.references.values():
            self._drop_reference(node, reference, key)

    def _row(self, node: NodeType, given: dict[str, Any]) -> Row:
        row = self._blank[node.name].copy()
        slots, columns = node.slots, node.columns
        for name, value in given.items():
            if value is not None and name in slots:
                row[slots[name]] = columns[name].read(value)
        created, updated, etag = self._system[node.name]
        if created and given.get(created) is None:
            row[slots[created]] = DEFAULT_INSTANT
        if updated and given.get(updated) is None:
            row[slots[updated]] = row[slots[created]] if created else DEFAULT_INSTANT
        if etag and given.get(etag) is None:
            row[slots[etag]] = _digest(given)
        if node.name == "User" and given.get("organizationId") is None:
            row[slots["organizationId"]] = self.store.organization_id
        return row

    def _stamp(self, node: NodeType, row: Row, now: str, changes: dict[str, Any]) -> None:
        _, updated, etag = self._system[node.name]
        if updated and updated not in changes:
            row[node.slots[updated]] = now
        if etag and etag not in changes:
            row[node.slots[etag]] = _digest({"was": row[node.slots[etag]], "now": now, "change": next(self._numbers)})

    def _add_references(self, node: NodeType, key: Key, given: dict[str, Any]) -> None:
        for name in given.keys() & node.references.keys():
            if given[name] is not None:
                items = given[name] if node.references[name].many else [given[name]]
                self._add_items(node, key, node.references[name], items)
        steps_before = given.get("upstreamStepIds")
        if steps_before and "upstream" in node.references and given.get("upstream") is None:
            self._add_items(node, key, node.references["upstream"], _edges(steps_before))

    def _add_items(self, node: NodeType, key: Key, reference: Reference, items: list[dict[str, Any]]) -> None:
        link, store = (node.name, reference.name), self.store
        if reference.union:
            store.link(*link, key, [(item["__typename"], item["id"]) for item in items])
        elif reference.target in VIEWS:
            store.link(*link, key, [(item["id"], self._extras(reference.target, item)) for item in items])
        elif is_inline(store.model.types[reference.target]):
            owner = owner_column(node, reference, store.model.types[reference.target])
            keys = [self._add_child(node, key, reference, owner, item) for item in items]
            if owner is None:
                store.link(*link, key, keys)
        else:
            read = store.model.types[reference.target].columns["id"].read
            store.link(*link, key, [read(item["id"]) for item in items])

    def _add_child(
        self, node: NodeType, key: Key, reference: Reference, owner: str | None, item: dict[str, Any]
    ) -> Key:
        child = self.store.model.types[reference.target]
        item = dict(item)
        if owner is not None and str(item.setdefault(owner, key)) != str(key):
            where = f'{node.name} {key}, field "{reference.name}"'
            raise WorldError(f"{where}: its {owner} is {item[owner]}, but it is inside {key}.")
        if "id" in child.key and item.get("id") is None:
            item["id"] = f"{key}:{item['key']}" if is_attribute(child) else next(self._numbers)
        return self.add(child.name, item)

    def _extras(self, view: str, item: dict[str, Any]) -> tuple[Any, ...]:
        base = self.store.model.types[VIEWS[view]]
        return tuple(item.get(name) for name in self.store.model.types[view].columns if name not in base.columns)

    def _drop_reference(self, node: NodeType, reference: Reference, key: Key) -> None:
        if not reference.union and is_inline(self.store.model.types[reference.target]):
            child = self.store.tables[reference.target]
            owner = owner_column(node, reference, child.node)
            if owner is not None:
                for row in list(child.index(owner).get(key, ())):
                    child.remove(child.key_of(row))
        self.store.link(node.name, reference.name, key, None)


def owner_column(node: NodeType, reference: Reference, child: NodeType) -> str | None:
    """The column by which an inline row points at its owner; None if it has none (file attachments)."""
    if child.name.endswith("sEdge"):
        return _EDGE_OWNER.get(reference.name)
    named = [f"{back.name}Id" for back in child.references.values() if back.target == node.name and not back.many]
    named.append(node.name[0].lower() + node.name[1:] + "Id")
    return next((name for name in named if name in child.columns), None)


def _edges(steps_before: list[int]) -> list[dict[str, Any]]:
    return [{"upstreamStepId": step} for step in steps_before]


def _digest(value: Any) -> str:
    """An opaque etag that is the same for the same content."""
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
