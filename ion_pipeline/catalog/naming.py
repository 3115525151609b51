"""How ION's GraphQL names become names in the warehouse.

Pure functions on strings. What no rule can know (irregular plurals, colliding names) stands in `overrides.yml`.
"""

import re

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Attribute rows and a few link tables spell the system fields without their underscore (vendor schema, 2023).
_SYSTEM_SPELLINGS = {"Created": "_created", "Updated": "_updated", "Etag": "_etag"}


def column_name(field: str) -> str:
    """The column of a GraphQL field: `originMbomItemId` is `origin_mbom_item_id`, `Updated` is `_updated`."""
    if field in _SYSTEM_SPELLINGS:
        return _SYSTEM_SPELLINGS[field]
    return _HUMP.sub("_", field).lower()


def singular(table: str) -> str:
    """One row of a table: `part_inventories` is `part_inventory`, `run_batches` is `run_batch`."""
    if table.endswith("ies"):
        return f"{table.removesuffix('ies')}y"
    if table.endswith("ches"):
        return table.removesuffix("es")
    return table.removesuffix("s")
