"""How much a tenant gives at once: whole requests refused, or lists silently cut short.

The vendor documents no such limit. Servers in the field have them all the same, in front of GraphQL or inside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode


@dataclass(frozen=True)
class Limits:
    """Ceilings of a sandbox; None for no ceiling.

    Attributes:
        max_first: Rows of one root connection that may be asked for; a request for more is refused.
        cap_first: Rows of one root connection that are given; of a longer page the rest is left out without a word.
        max_cost: What a request may cost: rows asked for, times the fields selected of each; more is refused.
    """

    max_first: int | None = None
    cap_first: int | None = None
    max_cost: int | None = None

    def refusal(self, asked: Sequence[tuple[int | None, int]]) -> str | None:
        """Why a request is refused; None if it is not.

        Args:
            asked: For each of its root connections the page size (None: everything) and the fields selected.
        """
        sizes = [size for size, _ in asked]
        if self.max_first is not None and any(size is None or size > self.max_first for size in sizes):
            largest = "of everything" if None in sizes else f"of {max(size for size in sizes if size is not None)}"
            return f"The page size {largest} exceeds the maximum of {self.max_first}."
        if self.max_cost is None:
            return None
        if None in sizes:
            return "The query's cost is not known without a page size."
        cost = sum(max(1, size or 0) * fields for size, fields in asked)
        if cost > self.max_cost:
            return f"The query's cost of {cost} exceeds the maximum of {self.max_cost}."
        return None

    def cut(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """A root connection's arguments as they are answered."""
        if self.cap_first is None:
            return arguments
        name = "last" if arguments.get("first") is None and arguments.get("last") is not None else "first"
        size = arguments.get(name)
        return {**arguments, name: self.cap_first if size is None else min(size, self.cap_first)}


def selected_fields(selection: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """Fields without fields inside that a selection names, fragments resolved."""
    if selection is None:
        return 1
    total = 0
    for part in selection.selections:
        if isinstance(part, FragmentSpreadNode):
            total += selected_fields(fragments[part.name.value].selection_set, fragments)
        elif isinstance(part, FieldNode | InlineFragmentNode):
            total += selected_fields(part.selection_set, fragments)
    return total
