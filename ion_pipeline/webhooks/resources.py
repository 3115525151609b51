"""Which entities an event is about. ION names tables of its own database; the catalog names connections of its API."""

from collections.abc import Iterable

from ion_pipeline.catalog import Catalog

# Vendor manual: analytics schema. Where ION's table is called otherwise than the connection.
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
        resource: As the event has it.
        catalog: The entities.

    Returns:
        The entity that the table belongs to; every selected entity where the name is not known: what is not understood
        must not be missed.
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
    # Lists inside an entity: `parts_attributes` is our `part_attributes`.
    owner, _, inner = name.partition("_")
    yield f"{owner.removesuffix('s')}_{inner}"
