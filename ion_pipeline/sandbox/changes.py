"""Changes to a world while it is served: at once, or immediately before a later request.

A change is what a user of ION does: it adds, updates or deletes a row with the lists in it. Changes are posted as JSON
to `/_sandbox/changes`. With a scheduled change, a test changes a row between two pages of one read, always at the same
point.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.check import check_row, is_inline
from ion_pipeline.sandbox.computed import Computed
from ion_pipeline.sandbox.load import Writer
from ion_pipeline.sandbox.model import NodeType
from ion_pipeline.sandbox.store import Key
from ion_pipeline.sandbox.world import WorldError

_FIELDS = {
    "add": {"op", "entity", "row"},
    "update": {"op", "entity", "id", "values", "touch"},
    "delete": {"op", "entity", "id"},
}


class ChangeError(IonPipelineError):
    """A change is malformed, or contradicts the present rows."""


@dataclass
class _Waiting:
    changes: list[dict[str, Any]]
    entity: str | None
    requests: int


class Changes:
    """Applies changes to a store.

    ION does not document whether a changed attribute or link also changes `_updated` of its owner. Here it does only if
    the change has `"touch": true`, so that both can be tested; attributes have an `Updated` of their own.
    """

    def __init__(self, writer: Writer, computed: Computed | None = None) -> None:
        self._writer, self._computed = writer, computed
        self._waiting: list[_Waiting] = []

    @property
    def waiting(self) -> int:
        """Scheduled changes that have not been applied yet."""
        return sum(len(one.changes) for one in self._waiting)

    def post(self, given: Any) -> None:
        """Apply changes, or schedule them.

        Args:
            given: A list of changes, or `{"changes": [...], "before": {"entity": "parts", "request": 2}}`: immediately
                before the second GraphQL request from now that asks for `parts` (for any entity, if none is named).
                A change is `{"op": "add", "entity", "row"}`, `{"op": "update", "entity", "id", "values", "touch"}` or
                `{"op": "delete", "entity", "id"}`; `entity` is a root connection, `id` is a list for a composite key.

        Raises:
            ChangeError: A change is malformed, names a missing row, or adds an existing one. The changes before it in
                the list have been applied.
        """
        before = given.get("before") if isinstance(given, dict) else None
        changes = given.get("changes") if isinstance(given, dict) else given
        if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
            raise ChangeError("Changes must be a list of objects.")
        for change in changes:
            self._check(change)
        if before is None:
            self._apply(changes)
            return
        entity, requests = before.get("entity"), before.get("request", 1)
        if not isinstance(requests, int) or requests < 1 or (entity and entity not in self._writer.store.model.roots):
            raise ChangeError("`before` needs a root connection and the number of a request, from 1.")
        self._waiting.append(_Waiting(changes, entity, requests))

    def about_to_answer(self, entities: frozenset[str]) -> None:
        """Count a request for these root fields; apply the changes that are scheduled before it."""
        for one in list(self._waiting):
            if one.entity is not None and one.entity not in entities:
                continue
            one.requests -= 1
            if not one.requests:
                self._waiting.remove(one)
                self._apply(one.changes)

    def _check(self, change: dict[str, Any]) -> None:
        fields = _FIELDS.get(str(change.get("op")))
        if fields is None or change.keys() - fields or (fields - {"touch"}) - change.keys():
            raise ChangeError(
                f"A change has the wrong fields: {sorted(change)}.", remedy=f"Changes have these fields: {_FIELDS}."
            )
        if change["entity"] not in self._writer.store.model.roots:
            raise ChangeError(f"ION has no root connection {change['entity']!r}.")
        if change["op"] == "add":
            try:
                model = self._writer.store.model
                check_row(model.roots[change["entity"]], change["row"], model)
            except ValueError as error:
                raise ChangeError(f"{change['entity']}: {error}.") from None

    def _apply(self, changes: list[dict[str, Any]]) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        for change in changes:
            type_name = self._writer.store.model.roots[change["entity"]]
            node = self._writer.store.model.types[type_name]
            try:
                self._one(change, node, now)
            except KeyError:
                raise ChangeError(f"There is no {change['entity']} {change.get('id')}.") from None
            except (WorldError, ValueError) as error:
                raise ChangeError(f"{change['entity']}: {error}") from None
        if self._computed:
            self._computed.refresh()

    def _one(self, change: dict[str, Any], node: NodeType, now: str) -> None:
        table = self._writer.store.tables[node.name]
        if change["op"] == "add":
            new = self._stamped(node, change["row"], now)
            key = tuple(node.columns[name].read(new[name]) for name in node.key)
            if table.get(key[0] if len(key) == 1 else key) is not None:
                raise ValueError(f"{key} exists already")
            self._writer.add(node.name, new)
            return
        key = self._key(node, change["id"])
        if change["op"] == "delete":
            self._writer.delete(node.name, key)
            return
        values = self._with_lists_stamped(node, change["values"], now)
        row = table.stored(key)
        if change.get("touch") and not values.keys() & node.columns.keys():
            name = next(name for name in node.columns if name not in node.key)
            values = {name: row[node.slots[name]]} | values
        self._writer.update(node.name, key, values, now=now)

    def _key(self, node: NodeType, given: Any) -> Key:
        parts = given if isinstance(given, list) else [given]
        key = tuple(node.columns[name].read(part) for name, part in zip(node.key, parts, strict=True))
        return key[0] if len(key) == 1 else key

    def _stamped(self, node: NodeType, row: dict[str, Any], now: str) -> dict[str, Any]:
        """A new row and the rows in it, with the present time as their instants unless they have others."""
        instants = {name for word in ("_created", "_updated") if (name := node.system(word))}
        return dict.fromkeys(instants, now) | self._with_lists_stamped(node, row, now)

    def _with_lists_stamped(self, node: NodeType, values: dict[str, Any], now: str) -> dict[str, Any]:
        stamped = dict(values)
        for name in values.keys() & node.references.keys():
            if node.references[name].union or not isinstance(values[name], list):
                continue
            child = self._writer.store.model.types[node.references[name].target]
            if is_inline(child):
                stamped[name] = [self._stamped(child, item, now) for item in values[name]]
        return stamped
