"""Maps an event to entities. ION names tables of its own database; the catalog names connections of its API."""

from collections.abc import Iterable

from ion_pipeline.catalog import Catalog

# Tables whose name differs from that of the connection (vendor manual: analytics schema).
_TABLES = {
    "parts_inventory": "part_inventories",
    "part_inventory": "part_inventories",
    "run_steps_fields": "run_step_fields",
    "run_steps_field_validations": "run_step_field_validations",
    "abom_edge": "abom_edges",
}


def entities_named(resource: str, catalog: Catalog) -> tuple[str, ...]:
    """The entities to read after an event.

    Args:
        resource: The table that the event names.
        catalog: The entities.

    Returns:
        The entity that the table belongs to. For an unknown table, every entity of the default selection, so that no
        change is missed.
    """
    for name in _spellings(resource.strip().lower()):
        table = catalog.tables.get(_TABLES.get(name, name))
        if table:
            return (table.entity,)
    return catalog.default_selection


def _spellings(name: str) -> Iterable[str]:
    yield name
    yield f"{name}s"
    yield f"{name}es"
    yield f"{name.removesuffix('y')}ies"
    # A list in an entity: ION's `parts_attributes` is the catalog's `part_attributes`.
    owner, _, inner = name.partition("_")
    yield f"{owner.removesuffix('s')}_{inner}"
