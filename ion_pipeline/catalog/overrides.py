"""The typed form of `overrides.yml`. The facts are in that file; this module reads and matches them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

from ion_pipeline.catalog.credentials import is_credential


@dataclass(frozen=True, slots=True)
class ChildRule:
    """One line of `child_lists`.

    Attributes:
        owner: GraphQL type of the owner; `*` matches any type.
        field: The list's field name.
        type: GraphQL type of the elements, with `*` as a wildcard.
        key: Columns that identify an element within its owner (full child tables).
        link: Column for the element's id, where only the link is read.
        with_fields: Other fields to read with a link.
        table: Table name, where `<owner>_<field>` would be misleading.
    """

    owner: str
    field: str
    type: str
    key: tuple[str, ...]
    link: str
    with_fields: tuple[str, ...]
    table: str

    @classmethod
    def from_yaml(cls, line: Mapping[str, Any]) -> Self:
        """Read one line of `child_lists`."""
        return cls(
            owner=line.get("owner", "*"),
            field=line["field"],
            type=line.get("type", "*"),
            key=tuple(line.get("key", ())),
            link=line.get("link", ""),
            with_fields=tuple(line.get("with", ())),
            table=line.get("table", ""),
        )

    def matches(self, owner: str, field: str, element: str) -> bool:
        """Whether the rule applies to this list."""
        return field == self.field and fnmatchcase(owner, self.owner) and fnmatchcase(element, self.type)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What cannot be derived from a schema; the comments in `overrides.yml` explain each part."""

    table_names: Mapping[str, str]
    column_names: Mapping[str, str]
    keys: Mapping[str, tuple[str, ...]]
    excluded_patterns: tuple[re.Pattern[str], ...]
    excluded_fields: frozenset[str]
    child_rules: tuple[ChildRule, ...]
    administrative: Mapping[str, str]
    published_names: Mapping[str, str]
    text_instants: frozenset[str]

    @classmethod
    def from_yaml(cls, raw: Mapping[str, Any]) -> Self:
        """Build the overrides from the parsed file."""
        excluded = raw["excluded_fields"]
        child_lists = raw["child_lists"]
        return cls(
            table_names=raw["table_names"],
            column_names=raw["column_names"],
            keys={table: tuple(columns) for table, columns in raw["keys"].items()},
            excluded_patterns=tuple(re.compile(pattern) for pattern in excluded["patterns"]),
            excluded_fields=frozenset([*excluded["signed_links"], *excluded["secrets"]]),
            child_rules=tuple(
                ChildRule.from_yaml(line) for line in [*child_lists["by_type"], *child_lists["by_field"]]
            ),
            administrative=raw["administrative"],
            published_names=raw["published_names"],
            text_instants=frozenset(raw["text_instants"]),
        )

    def is_excluded(self, owner: str, field: str) -> bool:
        """Whether a field is never selected."""
        return (
            f"{owner}.{field}" in self.excluded_fields
            or any(p.search(field) for p in self.excluded_patterns)
            or is_credential(owner, field)
        )

    def child_rule(self, owner: str, field: str, element: str) -> ChildRule | None:
        """The rule for a list inside a node; None if the list does not become a table."""
        return next((rule for rule in self.child_rules if rule.matches(owner, field, element)), None)
