"""Parts that ION does not show to this key: every command names them by their id, and none fails."""

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline import cli
from ion_pipeline.commands import abom
from ion_pipeline.publish.read import Genealogy

TOP, HIDDEN = 1, 2
FILE = """
create schema genealogy; create schema reference;
create table reference.part_inventories as
select * from (values
    (1, 90, 'PUMP', 'A', 'T-1', null, 'WIP', null),
    (2, 70, null, null, 'S-2', null, 'INSTALLED', null),
    (3, null, null, null, null, 'L-3', 'INSTALLED', null)
) as units (
    part_inventory_id, part_id, part_number, part_revision, serial_number, lot_number, status, location_path
);
alter table reference.part_inventories add column origin_part_inventory_id bigint;
alter table reference.part_inventories add column part_description varchar;
alter table reference.part_inventories add column quantity double;
alter table reference.part_inventories add column quantity_available double;
alter table reference.part_inventories add column quantity_installed double;
alter table reference.part_inventories add column quantity_scrapped double;
alter table reference.part_inventories add column unit_of_measure varchar;
alter table reference.part_inventories add column supplier_name varchar;
alter table reference.part_inventories add column is_installed boolean;
create table reference.attributes (owner_type varchar, owner_id bigint, attribute_key varchar, value_text varchar);
create schema ops;
create table ops.loads as select 'plant' as tenant, now() as read_at, 1 as rows_read, true as is_latest;
create table ops.freshness (entity varchar, last_read_at timestamptz);
create table genealogy.abom_installations (
    parent_part_inventory_id bigint, child_part_inventory_id bigint, abom_installation_id bigint,
    installed_at timestamptz, installed_by varchar, is_quarantined boolean
);
create table genealogy.abom_hierarchy as
select
    1 as root_part_inventory_id, unit as part_inventory_id, 1 as parent_part_inventory_id, unit - 1 as depth,
    unit::varchar as sort_key, 'PUMP T-1' as path_text, 1.0 as quantity_extended, 1 as abom_installation_id
from (values (1), (2)) as tree (unit);
create table genealogy.abom_where_used as
select
    unit as component_part_inventory_id, 1 as ancestor_part_inventory_id, true as is_top_level, 1 as min_depth,
    null as ancestor_part_number, 70 as ancestor_part_id, null as ancestor_part_revision,
    'S-2' as ancestor_serial_number, null as ancestor_lot_number, 1 as path_count, 1.0 as quantity_extended,
    null as component_serial_number, null as component_lot_number
from (values (1), (2)) as uses (unit);
create table genealogy.abom_conformance as
select
    1 as part_inventory_id, 1 as mbom_version, 'match' as designator_match,
    'm1' as line_key, 'conforming' as status, 70 as part_id, null::varchar as part_number,
    null::varchar as part_revision, ['part 70'] as installed_part_numbers, 1.0 as quantity_planned,
    1.0 as quantity_installed;
create table genealogy.tree as
select
    depth, part_id, part_number, null as part_revision, serial_number, null as lot_number,
    null as reference_designator, false as is_open_requirement, 1.0 as quantity_installed, false as is_substitute,
    false as is_made_on_assembly, null as part_description
from (values (0, 90, 'PUMP', 'T-1'), (1, 70, null, 'S-2')) as lines (depth, part_id, part_number, serial_number);
create macro abom_explode(unit) as table from genealogy.tree;
create macro recall(part_number, name) as table
select
    1 as part_inventory_id, null as part_number, null as part_revision, 'T-1' as serial_number, null as lot_number,
    'WIP' as status, 1.0 as quantity_extended, 1 as path_count, 'part 70 T-1 > part 70 S-2' as path_text,
    true as is_in_tree;
create macro abom_compare(a, b) as table
select
    'replaced' as change, 'part 70' as line, 'part 70' as part_number_before, 'part 71' as part_number_after,
    null as part_revision_before, null as part_revision_after, 1.0 as quantity_before, 1.0 as quantity_after,
    null as reference_designator_before, null as reference_designator_after, null as serial_number_before,
    null as serial_number_after, null as lot_number_before, null as lot_number_after, 'part 70 > part 70' as path_text;
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    connection = duckdb.connect()
    connection.execute(FILE)
    genealogy = Genealogy(connection, Path("ion.duckdb"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(abom, "_opened", lambda _context: contextlib.nullcontext(genealogy))
        monkeypatch.setattr(sys, "argv", ["ion-pipeline", "abom", *arguments])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, *capsys.readouterr()

    return run


@dataclass(frozen=True)
class Case:
    """A command, and the text that it must print."""

    arguments: tuple[str, ...]
    says: str


CASES = {
    "show": Case(("show", "T-1"), "part 70 (not shown)  S/N S-2"),
    "where-used": Case(("where-used", "T-1"), "part 70 (not shown)"),
    "recall": Case(("recall", "part 70", "S-2"), "part 70 T-1 > part 70 S-2"),
    "compare": Case(("compare", "part 70:S-2", "T-1"), "part 70  replaced  part 70 x 1.0 -> part 71 x 1.0"),
    "plan": Case(("compare", "T-1", "--plan"), "part 70 (not shown)"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_command_names_it(run: Run, case: Case) -> None:
    code, out, _ = run(*case.arguments)
    assert code == 0
    assert case.says in out
    assert "None" not in out
    code, out, _ = run(*case.arguments, "--json")
    assert code == 0
    json.loads(out)


def test_units_of_parts_not_shown_are_named_where_a_name_is_spelt_like_theirs(run: Run) -> None:
    code, _, said = run("show", "S-22")
    assert code != 0
    assert "part 70:S-2" in said
    code, _, said = run("show", "L-33")
    assert code != 0
    assert "L-3" in said
