"""Parts that ION does not return: their units are distinguished by the part's id, and no list contains a null."""

import duckdb
import pytest

from tests.unit.dbt.models import PROJECT, Models, render

UNITS = {
    "int_abom__units": "part_inventory_id bigint, part_id bigint, part_number varchar, part_revision varchar, "
    "serial_number varchar, lot_number varchar, is_export_controlled boolean",
}
CONFIGURED = UNITS | {
    "int_abom__tree_lines": "parent_part_inventory_id bigint, part_inventory_id bigint, part_id bigint, "
    "designator_key varchar, quantity_per_piece double, is_open_requirement boolean",
    "int_abom__assembly_paths": "root_part_inventory_id bigint, depth bigint",
}
INSTALLED = UNITS | {
    "int_abom__lines": "line_key varchar, abom_generation bigint, parent_part_inventory_id bigint, "
    "build_requirement_id bigint, abom_installation_id bigint, child_part_inventory_id bigint, "
    "reference_designator varchar, quantity_installed double, is_made_on_assembly boolean",
    "int_conformance__requirements": "abom_generation bigint, part_inventory_id bigint, build_requirement_id bigint, "
    "mbom_item_id bigint",
    "stg_ion__mbom_items": "mbom_item_id bigint, part_id bigint",
    "stg_ion__mbom_substitutes": "mbom_item_id bigint, part_id bigint",
    "parts": "part_id bigint, revision_family_id bigint",
}


@pytest.mark.parametrize(
    ("top", "inside"),
    [((None, None), ((70, None), (71, None))), ((None, None), ((None, 5), (None, 5))), ((70, 71), ((1, 1), (1, 1)))],
)
def test_every_unit_that_holds_something_has_a_configuration(
    top: tuple[int | None, int | None], inside: tuple[tuple[int | None, int | None], ...]
) -> None:
    """Units 1 and 2 hold 3 and 4, and 5 and 6: parts with an id but no number, and parts with neither."""
    parts = dict(zip((1, 2, 3, 5, 4, 6), (*top, *inside[0], *inside[1]), strict=True))
    models = Models(CONFIGURED, ["abom_configurations"])
    models.fill(
        int_abom__units=[{"part_inventory_id": unit, "part_id": part} for unit, part in parts.items()],
        int_abom__tree_lines=[
            {
                "parent_part_inventory_id": parent,
                "part_inventory_id": child,
                "part_id": parts[child],
                "quantity_per_piece": 1.0,
                "is_open_requirement": False,
            }
            for parent, child in ((1, 3), (1, 5), (2, 4), (2, 6))
        ],
        int_abom__assembly_paths=[{"root_part_inventory_id": unit, "depth": 0} for unit in (1, 2)],
    )
    found = {row["part_inventory_id"]: row["configuration_hash"] for row in models.rows("from abom_configurations")}
    assert found.keys() == {1, 2}
    assert None not in found.values()
    alike = top[0] == top[1] and sorted(map(str, inside[0])) == sorted(map(str, inside[1]))
    assert (found[1] == found[2]) is alike


@pytest.mark.parametrize(
    ("part_id", "number", "shown"), [(70, "BOLT", "BOLT"), (70, None, "part 70"), (None, None, "unit")]
)
def test_an_installed_part_has_a_name_to_compare_with_the_plan(
    part_id: int | None, number: str | None, shown: str
) -> None:
    models = Models(INSTALLED, ["int_conformance__installed"])
    models.fill(
        int_abom__units=[{"part_inventory_id": 2, "part_id": part_id, "part_number": number}],
        int_abom__lines=[{"line_key": "i1", "parent_part_inventory_id": 1, "child_part_inventory_id": 2}],
    )
    [row] = models.rows("from int_conformance__installed")
    assert row["child_part_number"] == shown


def test_an_issue_names_all_its_parts() -> None:
    model = (PROJECT / "models" / "marts" / "quality" / "issues.sql").read_text(encoding="utf-8")
    units = render(model.partition("units as (")[2].partition("\n),")[0])
    with duckdb.connect() as connection:
        connection.execute("""
            create table issue_units (issue_id bigint, part_id bigint, part_number varchar, quantity_affected double)
        """)
        connection.execute("insert into issue_units values (1, 70, null, 1), (1, 71, null, 1), (1, 5, 'NUT', 1)")
        found = connection.execute(f"select part_numbers from ({units})").fetchall()  # noqa: S608 -- the model's own SQL
    assert found == [(["NUT", "part 70", "part 71"],)]
