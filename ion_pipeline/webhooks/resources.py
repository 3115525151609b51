"""Maps an event to entities. ION names tables of its own database; the catalog names connections of its API.

ION spells names in the singular, in the plural, or mixes both (`RUN_STEP`, `PARTS_INVENTORY`, `UNITS_OF_MEASUREMENTS`),
so names are compared with every word in the singular.
"""

from ion_pipeline.catalog import Catalog
from ion_pipeline.catalog.naming import singular

# Tables that the API has under another name, or only as a list or a column of an entity (vendor manual: webhooks and
# analytics schema; `ResourceEnum` of the schema). Each word in the singular; the value names an entity.
_HELD_BY = {
    "origin_run": "runs",
    "part_inventory_build_requirement": "build_requirements",
    "part_inventory_history": "part_inventories",
    "part_inventory_rolled_up_cost": "part_inventories",
    "part_kit_inventory": "part_kit_items",
    "permission_group_role": "permission_groups",
    "permission_permission_group": "permission_groups",
    "plan_item_result": "plan_items",
    "plan_plan_item": "plan_items",
    "purchase_order_line_inventory": "purchase_order_lines",
    "run_step_dag": "run_steps",
    "session": "run_steps",
    "session_event": "run_steps",
    "step_dag": "steps",
}
# Tables of which no entity shows anything: ION's own logs, its keys, and the tenant itself. Supplier parts are here for
# tenants that have not adopted them.
_HELD_BY_NONE = frozenset(
    {
        "analytic_credential",
        "api_key",
        "custom_logged_action",
        "ddl_capture",
        "logged_action",
        "organization",
        "supplier_part",
        "user_transaction",
    }
)
# A file belongs to its owner, which the event does not name.
_FILES = frozenset({"asset_entity", "file_attachment", "file_attachment_entity"})
_FILE_TYPE = "FileAttachment"


def entities_named(resource: str, catalog: Catalog) -> tuple[str, ...]:
    """The entities to read after an event.

    Args:
        resource: The table that the event names, in the singular or in the plural.
        catalog: The entities.

    Returns:
        The entity that the table belongs to; for a file, every entity that has files; none for a table that no entity
        shows. For an unknown table, every entity of the default selection, so that no change is missed.
    """
    name = _singular(resource.strip().lower())
    found = [table.entity for table in catalog.tables.values() if _singular(table.name) == name]
    if (holder := _HELD_BY.get(name, "")) in catalog.entities:
        found.append(holder)
    if name in _FILES:
        found += [
            entity.name
            for entity in catalog.entities.values()
            if any(child.node_type == _FILE_TYPE for child in entity.children)
        ]
    if not found and name not in _HELD_BY_NONE:
        return catalog.default_selection
    return tuple(dict.fromkeys(found))


def _singular(table: str) -> str:
    """The name with every word in the singular, without the `_base` that the Data Connector adds to some."""
    return "_".join(singular(word) for word in table.removesuffix("_base").split("_"))
