"""Profiles of tenants: the served schema without some of its fields or types, or today's. The data is the same for all.

Each profile exercises one step of the negotiation between the pipeline and a tenant. Removing a type also removes every
field, argument and input field that uses it. One profile serves the complete schema to a key whose owner is not in the
export group: export-controlled rows of some types are then missing in every list, count and relation.

The profile `today` has what ION has added since the shipped schema (`today`), lacks generation 1 of the as-built BOM,
and computes the status of inventory and orders by the newer rules (`computed`).
"""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any, cast

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
)

from ion_pipeline.catalog.schema import known_document
from ion_pipeline.errors import SettingsError
from ion_pipeline.sandbox.today import with_additions
from ion_pipeline.sandbox.values import canonical_instant

TODAY = "today"
#: Whether to keep a member of a type definition: (definition, name of the member, named type of the member) → bool.
Keep = Callable[[TypeDefinitionNode, str, str], bool]

_GENERATION_2 = ("BuildRequirement", "ABomInstallation")
_GENERATION_1 = ("ABomItem", "ABomEdge")
_GENERATION_1_COUNTS = frozenset({"_AbomItemsCount", "_AbomItemReferenceDesignatorsCount"})
_ROOT_ABOM = frozenset({"buildRequirements", "abomInstallations"})
_MISSING = {"Part": {"leadTime"}, "RunStep": {"hashCode"}}
_MISSING_ELSEWHERE = {
    "PartsInputFilters": {"leadTime"},
    "PartSortEnum": {"LEAD_TIME_ASC", "LEAD_TIME_DESC"},
    "RunStepsInputFilters": {"hashCode"},
    "RunStepSortEnum": {"HASH_CODE_ASC", "HASH_CODE_DESC"},
}


def _no_root_abom(definition: TypeDefinitionNode, name: str, kind: str) -> bool:
    del kind
    return definition.name.value != "Query" or name not in _ROOT_ABOM


def _no_updated_filter(definition: TypeDefinitionNode, name: str, kind: str) -> bool:
    return not (
        isinstance(definition, InputObjectTypeDefinitionNode)
        and name in ("_updated", "_created")
        and kind == "DateTimeFilter"
    )


def _no_keyset(definition: TypeDefinitionNode, name: str, kind: str) -> bool:
    if isinstance(definition, InputObjectTypeDefinitionNode):
        return name != "id" or kind not in ("IDFilter", "StringFilter")
    return not isinstance(definition, EnumTypeDefinitionNode) or name not in ("ID_ASC", "ID_DESC")


def _missing_fields(definition: TypeDefinitionNode, name: str, kind: str) -> bool:
    del kind
    removed = _MISSING.get(definition.name.value) or _MISSING_ELSEWHERE.get(definition.name.value) or ()
    return name not in removed


def _without_types(prefixes: tuple[str, ...], counts: frozenset[str] = frozenset()) -> Keep:
    """Removes types: their nodes, connections, edges, filters and sort enums, and counts of them in other types."""

    def keep(definition: TypeDefinitionNode, name: str, kind: str) -> bool:
        return not (definition.name.value.startswith(prefixes) or kind.startswith(prefixes) or name in counts)

    return keep


PROFILES: dict[str, Keep] = {
    "full": lambda _definition, _name, _kind: True,
    "no-root-abom": _no_root_abom,
    "generation-1": _without_types(_GENERATION_2),
    "generation-2": _without_types(_GENERATION_1, _GENERATION_1_COUNTS),
    "no-updated-filter": _no_updated_filter,
    "no-keyset": _no_keyset,
    "missing-fields": _missing_fields,
    "no-export-group": lambda _definition, _name, _kind: True,
    TODAY: _without_types(_GENERATION_1, _GENERATION_1_COUNTS),
}
#: Profiles that a factory can keep working in: its work is not written as generation 1 of the as-built BOM.
WORKING = frozenset({"generation-2", TODAY})
#: Types whose export-controlled rows a key without the export group does not see. Inventories of such parts are served
#: without their `part`.
CONTROLLED = frozenset({"Part", "Procedure", "Run"})
#: What a profile withholds.
WITHHELD = {"no-export-group": CONTROLLED}


@cache
def served_schema(profile: str = "full", names: tuple[tuple[str, str], ...] = ()) -> GraphQLSchema:
    """The schema that a tenant of this profile serves. Shared and cached: treat it as read-only.

    Args:
        profile: The profile.
        names: For `today`, root connections and lists that this tenant has under another name: (name, other name).

    Raises:
        SettingsError: There is no such profile, or a root connection cannot have the name.
    """
    if profile not in PROFILES:
        raise SettingsError(f'There is no sandbox profile "{profile}".', remedy=f"Use one of: {', '.join(PROFILES)}.")
    # `tests/unit/sandbox` checks that the schema of each profile is valid.
    document = _pruned(known_document(), PROFILES[profile])
    if names and profile != TODAY:
        raise SettingsError(f'The profile "{profile}" has no root connection with a name of its own.')
    if profile == TODAY:
        schema = with_additions(document, dict(names))
    else:
        schema = build_ast_schema(document, assume_valid_sdl=True)
    # graphql-core coerces an instant in a filter with this function, which checks it and makes it comparable.
    cast("Any", schema.type_map["DateTime"]).parse_value = canonical_instant
    return schema


def _pruned(document: DocumentNode, keep: Keep) -> DocumentNode:
    definitions = []
    for whole in document.definitions:
        definition = copy(whole)
        if isinstance(definition, EnumTypeDefinitionNode):
            definition.values = tuple(one for one in definition.values if keep(definition, one.name.value, ""))
            empty = not definition.values
        elif isinstance(definition, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode):
            kept: Any = [one for one in definition.fields if keep(definition, one.name.value, _named(one.type))]
            definition.fields = tuple(kept)
            empty = not definition.fields
        elif isinstance(definition, UnionTypeDefinitionNode):
            empty = not definition.types
        else:
            empty = False
        if not empty:
            definitions.append(definition)
    return DocumentNode(definitions=tuple(definitions))


def _named(node: Any) -> str:
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)
