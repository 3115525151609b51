"""Limits on the size of answers: requests are refused, or lists are silently cut short.

The vendor documents no such limits, but deployed servers have them, in GraphQL or in a gateway in front of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode


@dataclass(frozen=True)
class Limits:
    """The limits of a sandbox; None for no limit.

    Attributes:
        max_first: Maximum number of rows of one root connection in a request; a request for more is refused.
        cap_first: Maximum number of rows of one root connection in an answer; the rest is left out without an error.
        max_cost: Maximum cost of a request: rows requested, times the fields selected of each; more is refused.
    """

    max_first: int | None = None
    cap_first: int | None = None
    max_cost: int | None = None

    def refusal(self, asked: Sequence[tuple[int | None, int]]) -> str | None:
        """Why a request is refused; None if it is accepted.

        Args:
            asked: For each root connection of the request, the page size (None: all rows) and the number of fields.
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
        """The arguments of a root connection with its page size reduced to `cap_first`."""
        if self.cap_first is None:
            return arguments
        name = "last" if arguments.get("first") is None and arguments.get("last") is not None else "first"
        size = arguments.get(name)
        return {**arguments, name: self.cap_first if size is None else min(size, self.cap_first)}


def selected_fields(selection: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """The number of leaf fields in a selection, including those of fragments."""
    if selection is None:
        return 1
    total = 0
    for part in selection.selections:
        if isinstance(part, FragmentSpreadNode):
            total += selected_fields(fragments[part.name.value].selection_set, fragments)
        elif isinstance(part, FieldNode | InlineFragmentNode):
            total += selected_fields(part.selection_set, fragments)
    return total
