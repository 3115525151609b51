"""What contains a lot, on hand-written tables: splits, rings, names in any case, and what was never read."""

from collections.abc import Iterator

import duckdb
import pytest

from ion_pipeline.publish.containment import AmbiguousLotError, UnknownLotError, named_lot, read_recall
from ion_pipeline.report.where_used import read_where_used

TABLES = """
create schema genealogy; create schema reference; create schema ops;
create table reference.part_inventories as
select
    id as part_inventory_id, 1 as part_id, part as part_number, 'A' as part_revision, 'a ' || part as part_description,
    serial as serial_number, lot as lot_number, 'AVAILABLE' as status, 'rack' as location_path, 1.0 as quantity,
    0.0 as quantity_available, 1.0 as quantity_installed, 0.0 as quantity_scrapped, 'each' as unit_of_measure,
    null as supplier_name, origin as origin_part_inventory_id, true as is_installed
from (values
    (1, 'POWDER', null, 'Lot-7', null), (2, 'POWDER', null, 'LOT-8', 1), (3, 'BOLT', null, 'LOT-8', null),
    (10, 'TOP', 'T1', null, null), (11, 'TOP', 'T2', null, null), (12, 'RING', 'R1', null, null),
    (13, 'RING', 'R2', null, null), (14, 'TOP', 'T3', null, null)
) as units (id, part, serial, lot, origin);
create table genealogy.abom_installations as
select
    parent as parent_part_inventory_id, child as child_part_inventory_id, 100 + parent as abom_installation_id,
    timestamptz '2026-01-02 03:04:00+00' as installed_at, 'Ada' as installed_by, ring as is_quarantined
from (values (10, 1, false), (11, 2, false), (12, 3, false), (13, 12, true), (12, 13, true), (14, 13, false))
    as lines (parent, child, ring);
create table genealogy.abom_where_used as
select
    component as component_part_inventory_id, ancestor as ancestor_part_inventory_id, true as is_top_level,
    1 as path_count, 1.0 as quantity_extended
from (values (1, 10), (2, 11), (3, 12), (13, 14)) as uses (component, ancestor);
create table genealogy.abom_hierarchy as
select
    ancestor_part_inventory_id as root_part_inventory_id, component_part_inventory_id as part_inventory_id,
    ancestor_part_inventory_id as parent_part_inventory_id, 1 as depth, '1' as sort_key, 'a > b' as path_text,
    1.0 as quantity_extended, 100 + ancestor_part_inventory_id as abom_installation_id
from genealogy.abom_where_used;
create table genealogy.genealogy_anomalies (part_inventory_id bigint, anomaly varchar);
create table reference.attributes (owner_type varchar, owner_id bigint, attribute_key varchar, value_text varchar);
insert into reference.attributes values ('part_inventory', 10, 'Tail number', 'N1'), ('run', 10, 'Tail number', 'N2');
create table ops.loads (tenant varchar, read_at timestamptz, rows_read bigint, is_latest boolean);
insert into ops.loads values ('plant', '2026-01-03 00:00:00+00', 1, true);
create table ops.freshness (entity varchar, last_read_at timestamptz);
insert into ops.freshness values ('abom_installations', now()), ('build_requirements', now()), ('abom_edges', null),
    ('abom_items', null);
"""


@pytest.fixture
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


def test_what_was_split_off_is_in_the_answer(published: duckdb.DuckDBPyConnection) -> None:
    recall = read_recall(published, "POWDER", "Lot-7")
    assert [(unit["serial_number"], unit["attributes"]) for unit in recall.units] == [
        ("T1", ["Tail number: N1"]),
        ("T2", None),
    ]
    assert [(piece["part_inventory_id"], piece["is_split"]) for piece in recall.pieces] == [(1, False), (2, True)]
    assert [place["abom_installation_id"] for unit in recall.units for place in unit["places"]] == [110, 111]
    assert (recall.outside, recall.warnings) == ((), ())
    assert recall.verdict.startswith("2 top-level units contain Lot-7 of POWDER")
    assert [unit["serial_number"] for unit in read_recall(published, "POWDER", "LOT-8").units] == ["T2"]


def test_units_beyond_a_ring_are_named_and_the_answer_says_that_it_is_short(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """T3 and R2 hold R1, and with it the lot, by installations that no tree follows."""
    recall = read_recall(published, "BOLT", "LOT-8")
    assert [unit["serial_number"] for unit in recall.units] == ["R1"]
    assert [unit["serial_number"] for unit in recall.outside] == ["R2", "T3"]
    assert recall.verdict.startswith("At least 1 top-level unit contains")
    assert "2 more units" in recall.warnings[0]


def test_the_index_counts_the_same_units_for_every_number(published: duckdb.DuckDBPyConnection) -> None:
    used = read_where_used(published)
    assert len(used.uses) == 8
    for use in used.uses:
        recall = read_recall(published, use.part, use.name)
        assert sorted(used.tops[place][0] for place in use.units) == sorted(
            unit["part_inventory_id"] for unit in recall.units
        )
        assert use.is_short or not recall.outside, use
    assert {use.name for use in used.uses if use.is_short} == {"LOT-8", "R1", "R2"}


def test_a_generation_that_was_not_read_is_missing_only_if_no_other_was(published: duckdb.DuckDBPyConnection) -> None:
    assert read_where_used(published).unread == ()
    published.execute("update ops.freshness set last_read_at = null where entity = 'abom_installations'")
    recall = read_recall(published, "POWDER", "Lot-7")
    assert recall.unread == ("abom_installations",)
    assert recall.verdict.startswith("At least 2")
    assert "were never read" in recall.warnings[0] or "was never read" in recall.warnings[0]


def test_rows_under_export_control_are_said_to_be_missing(published: duckdb.DuckDBPyConnection) -> None:
    published.execute("update ops.loads set rows_read = null")
    assert "export control" in read_recall(published, "POWDER", "Lot-7").warnings[0]


@pytest.mark.parametrize("name", ["Lot-7", "LOT-7", " lot-7 ", "powder:lot-7", "#1"])
def test_a_number_is_found_in_any_case(published: duckdb.DuckDBPyConnection, name: str) -> None:
    assert named_lot(published, name) == ("POWDER", "Lot-7")


def test_the_number_as_it_is_written_comes_first(published: duckdb.DuckDBPyConnection) -> None:
    published.execute("update reference.part_inventories set lot_number = 'lot-7' where part_inventory_id = 3")
    assert named_lot(published, "lot-7") == ("BOLT", "lot-7")
    assert named_lot(published, "LOT-7", part="powder") == ("POWDER", "Lot-7")


def test_a_number_of_several_parts_is_listed_with_each(published: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(AmbiguousLotError) as refused:
        named_lot(published, "lot-8")
    assert "BOLT:LOT-8  rev A  a BOLT  1 piece  AVAILABLE  rack" in refused.value.message
    assert "POWDER:LOT-8" in refused.value.message
    with pytest.raises(UnknownLotError) as unknown:
        named_lot(published, "LOT-77")
    assert "POWDER:Lot-7" in (unknown.value.remedy or "")
