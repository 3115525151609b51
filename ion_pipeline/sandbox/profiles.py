"""Tenants that know less: the served schema without some of its fields or types. The data stays whole.

Each profile exercises one rung of what the pipeline negotiates with a tenant. Dropping a type drops every field,
argument and input field that mentions it. One profile shows the whole schema to a key whose owner is not in the export
group: flagged rows of some types are then in no list, count or relation.
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
from ion_pipeline.sandbox.values import canonical_instant

#: Decides about one member of a type definition: (definition, member's name, member's named type) → keep it?
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
    gone = _MISSING.get(definition.name.value) or _MISSING_ELSEWHERE.get(definition.name.value) or ()
    return name not in gone


def _without_types(prefixes: tuple[str, ...], counts: frozenset[str] = frozenset()) -> Keep:
    """Without entities: their nodes, connections, edges, filters and sort enums, and the counts of them elsewhere."""

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
}
#: Types whose export-controlled rows a profile withholds. Inventories of such parts stay, without their `part`.
WITHHELD = {"no-export-group": frozenset({"Part", "Procedure", "Run"})}


@cache
def served_schema(profile: str = "full") -> GraphQLSchema:
    """The schema a tenant of this profile shows. Shared and cached: treat it as read-only.

    Raises:
        SettingsError: There is no such profile.
    """
    if profile not in PROFILES:
        raise SettingsError(f'There is no sandbox profile "{profile}".', remedy=f"Use one of: {', '.join(PROFILES)}.")
    # That each profile is valid is tested (`tests/unit/sandbox`).
    schema = build_ast_schema(_pruned(known_document(), PROFILES[profile]), assume_valid_sdl=True)
    # A filter's instant is checked and made comparable where graphql-core coerces it.
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
