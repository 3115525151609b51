"""Follows relations from one row to others: the rules that define relations, and their evaluation over a store.

Most relations are derived from names (`partId` and `part`; a list whose rows point back); `relation_rules` defines the
rest. A rule is bound to a store for one request: the result, a `Fetch`, uses the indexes of that moment and returns the
related rows of one row.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ion_pipeline.sandbox.model import VIEWS, NodeType, Reference
from ion_pipeline.sandbox.store import Row, Store, Table, whole_number

Fetch = Callable[[Row], Sequence[Row]]
Rule = Callable[["Relations", NodeType], Fetch]

_NOTHING: tuple[Row, ...] = ()


class Relations:
    """All relations of a store.

    Args:
        rules: (type, field) → its rule, for relations that cannot be derived from names.
    """

    def __init__(self, store: Store, rules: dict[tuple[str, str], Rule]) -> None:
        self.store = store
        self._rules = rules

    def fetch(self, type_name: str, field: str) -> Fetch:
        """A function that follows a field: to rows in key order for a list, otherwise to at most one row.

        A link or a foreign key in the row itself takes precedence over a derived relation.

        Raises:
            LookupError: Neither a name nor a rule defines the relation, which is a gap in the rules.
        """
        base = VIEWS.get(type_name, type_name)
        node = self.store.model.types[base]
        reference = node.references.get(field) or self.store.model.types[type_name].references[field]
        derived = self._derived(node, reference)
        links = self.store.links.get((base, field))
        if not links:
            return derived
        resolve, key_of = self._resolver(reference), self.store.tables[base].key_of

        def linked(row: Row) -> Sequence[Row]:
            targets = links.get(key_of(row))
            return derived(row) if targets is None else resolve(targets)

        return linked

    def _derived(self, node: NodeType, reference: Reference) -> Fetch:
        rule = self._rules.get((node.name, reference.name))
        if not reference.many and not reference.union:
            column = reference.name[0].lower() + reference.name[1:] + "Id"
            if column in node.columns:
                direct = foreign(column, reference.target)(self, node)
                if rule is None:
                    return direct
                other = rule(self, node)
                return lambda row: direct(row) or other(row)
        if rule is None:
            rule = self._reverse_by_name(node, reference)
        return rule(self, node)

    def _reverse_by_name(self, node: NodeType, reference: Reference) -> Rule:
        """The rule for the one column by which rows of the target point at the owner."""
        if reference.many and not reference.union:
            target = self.store.model.types[reference.target]
            back = {
                f"{other.name[0].lower()}{other.name[1:]}Id"
                for other in target.references.values()
                if other.target == node.name and not other.many
            } & target.columns.keys()
            if not back and f"{node.name[0].lower()}{node.name[1:]}Id" in target.columns:
                back = {f"{node.name[0].lower()}{node.name[1:]}Id"}
            if len(back) == 1:
                return reverse(f"{target.name}.{back.pop()}")
        raise LookupError(f"no rule defines how {node.name}.{reference.name} is followed")

    def _resolver(self, reference: Reference) -> Callable[[Sequence[Any]], list[Row]]:
        tables = self.store.tables
        if reference.union:
            return lambda links: [row for kind, key in links if (row := tables[kind].get(key)) is not None]
        if reference.target in VIEWS:
            rows = tables[VIEWS[reference.target]].rows
            return lambda links: [rows[key] + list(extras) for key, extras in links if key in rows]
        rows = tables[reference.target].rows
        return lambda links: [rows[key] for key in links if key in rows]


def foreign(column: str, target: str) -> Rule:
    """The row whose id is in a column."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        slot, rows = node.slots[column], relations.store.tables[target].rows
        numeric = node.columns[column].kind == "ID"

        def fetch(row: Row) -> Sequence[Row]:
            found = rows.get(whole_number(row[slot]) if numeric else row[slot])
            return _NOTHING if found is None else (found,)

        return fetch

    return bind


def reverse(path: str) -> Rule:
    """Rows of another type that have this row's id in a column: `"PlanItemAllocation.parentPlanItemId"`."""
    target, column = path.split(".")

    def bind(relations: Relations, node: NodeType) -> Fetch:
        return _matching(relations.store.tables[target], column, node.slots["id"])

    return bind


def same(column: str, target: str | None = None, target_column: str | None = None) -> Rule:
    """Rows that have the same value in a column, including the row itself if it has that type."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        return _matching(relations.store.tables[target or node.name], target_column or column, node.slots[column])

    return bind


def _matching(table: Table, column: str, slot: int) -> Fetch:
    index = table.index(column)
    return lambda row: index.get(row[slot], _NOTHING)


def mirror(path: str) -> Rule:
    """Rows of another type whose link list contains this row: `"BuildRequirement.partInventories"`."""
    owner, field = path.split(".")

    def bind(relations: Relations, node: NodeType) -> Fetch:
        store = relations.store
        owners, rows, slot = store.owners_of(owner, field), store.tables[owner].rows, node.slots["id"]
        return lambda row: [rows[key] for key in owners.get(row[slot], ()) if key in rows]

    return bind


def via(path: str) -> Rule:
    """The rows at the end of a path of relations, each once: `"steps.sessions"`."""
    names = path.split(".")

    def bind(relations: Relations, node: NodeType) -> Fetch:
        hops: list[Fetch] = []
        at = node
        for name in names:
            hops.append(relations.fetch(at.name, name))
            at = relations.store.model.types[at.references[name].target]

        def fetch(row: Row) -> Sequence[Row]:
            rows: Sequence[Row] = (row,)
            for hop in hops:
                rows = unique(found for row in rows for found in hop(row))
            return rows

        return fetch

    return bind


def reachable(field: str) -> Rule:
    """All rows that are reached by following one field repeatedly, nearest first, without the row itself."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        hop = relations.fetch(node.name, field)

        def fetch(row: Row) -> Sequence[Row]:
            found, frontier = {id(row): row}, [row]
            while frontier:
                frontier = [new for new in unique(new for at in frontier for new in hop(at)) if id(new) not in found]
                found.update((id(new), new) for new in frontier)
            del found[id(row)]
            return list(found.values())

        return fetch

    return bind


def either(*rules: Rule) -> Rule:
    """The rows of several rules together, each once."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        parts = [rule(relations, node) for rule in rules]
        return lambda row: unique(found for part in parts for found in part(row))

    return bind


def others(rule: Rule) -> Rule:
    """The rows of a rule without the row itself."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch = rule(relations, node)
        return lambda row: [found for found in fetch(row) if found is not row]

    return bind


def having(rule: Rule, target: str, column: str, accept: Callable[[Any], bool]) -> Rule:
    """The rows of a rule whose column is accepted."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch, slot = rule(relations, node), relations.store.model.types[target].slots[column]
        return lambda row: [found for found in fetch(row) if accept(found[slot])]

    return bind


def extreme(rule: Rule, target: str, column: str, *, last: bool) -> Rule:
    """The row of a rule with the smallest or largest non-null value in a column."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch, slot = rule(relations, node), relations.store.model.types[target].slots[column]
        pick = max if last else min

        def one(row: Row) -> Sequence[Row]:
            rows = [found for found in fetch(row) if found[slot] is not None]
            return (pick(rows, key=lambda found: found[slot]),) if rows else _NOTHING

        return one

    return bind


def then(rule: Rule, target: str, field: str) -> Rule:
    """The rows that a field of a rule's rows leads to, each once."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch, hop = rule(relations, node), relations.fetch(target, field)
        return lambda row: unique(found for middle in fetch(row) for found in hop(middle))

    return bind


def alike(rule: Rule, column: str) -> Rule:
    """The rows of a rule that have the same value in a column as this row."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch, slot = rule(relations, node), node.slots[column]
        return lambda row: [found for found in fetch(row) if row[slot] is not None and found[slot] == row[slot]]

    return bind


def only_if(column: str, rule: Rule) -> Rule:
    """A rule that applies only to rows in which a column is true."""

    def bind(relations: Relations, node: NodeType) -> Fetch:
        fetch, slot = rule(relations, node), node.slots[column]
        return lambda row: fetch(row) if row[slot] else _NOTHING

    return bind


def nothing(relations: Relations, node: NodeType) -> Fetch:
    """No rows: only the row itself can contain the relation."""
    del relations, node
    return lambda _row: _NOTHING


def unique(rows: Any) -> list[Row]:
    """Rows without duplicates, in their order."""
    return list({id(row): row for row in rows}.values())
