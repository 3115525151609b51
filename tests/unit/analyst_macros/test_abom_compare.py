"""`abom_compare` on random units in an in-memory database, checked against the oracle and against invariants."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.analyst_macros import COMPARE
from tests.examples import examples
from tests.oracle.designators import key_of
from tests.oracle.unit_compare import Change, change_columns, compare
from tests.oracle.unit_lines import Built, Piece
from tests.oracle.world import Row

TOP_A, TOP_B = 1, 2
PARTS = ("BOLT", "NUT", "PUMP", "PUMP", "SEAL")
# Leaves of every part in two revisions, and four assemblies that both units may hold.
LEAVES = {100 + number: (part, revision) for number, part in enumerate(PARTS) for revision in ("A",)} | {
    200 + number: (part, "B") for number, part in enumerate(PARTS)
}
ASSEMBLIES = {10: ("PUMP", "A"), 11: ("PUMP", "A"), 12: ("PUMP", "A"), 13: ("PUMP", "B"), 14: ("PUMP", "A")}
TABLES = """
create schema genealogy; create schema reference;
create table reference.part_inventories (part_inventory_id bigint, part_number varchar, part_id bigint);
create table genealogy.abom_hierarchy (root_part_inventory_id bigint, part_inventory_id bigint);
create table genealogy.abom_configurations (part_inventory_id bigint, configuration_hash varchar);
create table genealogy.abom_installations (
    parent_part_inventory_id bigint, child_part_inventory_id bigint, build_requirement_id bigint,
    origin_mbom_item_id bigint, origin_mbom_id bigint, required_part_number varchar, reference_designator varchar,
    child_part_number varchar, child_part_revision varchar, quantity_per_piece double, is_substitute boolean,
    child_serial_number varchar, child_lot_number varchar, is_quarantined boolean, designator_key varchar,
    child_part_id bigint
);
"""


INSTALL = "insert into genealogy.abom_installations values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        opened.execute(TABLES)
        opened.execute(COMPARE.read_text(encoding="utf-8"))
        yield opened


@st.composite
def planned(draw: st.DrawFn, parent: int, children: tuple[int, ...]) -> list[Piece]:
    """Installations in one unit, on lines of one of two plans or of no plan."""
    pieces = []
    mbom = draw(st.sampled_from((1, 1, 2)))
    for number in range(draw(st.integers(0, 5))):
        line = draw(st.integers(1, 3))
        child = draw(st.sampled_from(children))
        part, revision = (LEAVES | ASSEMBLIES)[child]
        by_hand = draw(st.integers(0, 4)) == 0
        pieces.append(
            Piece(
                parent=parent,
                child=child,
                requirement=1000 * parent + (100 + number if by_hand else line),
                origin=None if by_hand else 10 * mbom + line,
                mbom=None if by_hand else mbom,
                required_part=part if by_hand else PARTS[line],
                designator=draw(st.sampled_from((None, None, "R1", " r1", "R2", "R1-R2", "r2;R1", ""))),
                part=part,
                revision=revision,
                quantity=draw(st.sampled_from((Fraction(1), Fraction(2), Fraction(1, 2), None))),
                substitute=not by_hand and part == "SEAL",
            )
        )
    return pieces


@st.composite
def records(draw: st.DrawFn) -> list[Piece]:
    leaves = tuple(LEAVES)
    pieces = [piece for unit in ASSEMBLIES for piece in draw(planned(unit, leaves))]
    for top in (TOP_A, TOP_B):
        pieces += draw(planned(top, (*leaves, *ASSEMBLIES, *ASSEMBLIES)))
    return pieces


def part_of() -> dict[int, object]:
    return {TOP_A: "TOP", TOP_B: "TOP"} | {unit: "".join(name) for unit, name in (LEAVES | ASSEMBLIES).items()}


def fill(connection: duckdb.DuckDBPyConnection, pieces: list[Piece], built: Built) -> None:
    connection.execute("""
        delete from reference.part_inventories; delete from genealogy.abom_hierarchy;
        delete from genealogy.abom_configurations; delete from genealogy.abom_installations;
    """)
    connection.executemany("insert into reference.part_inventories values (?, 'TOP', 1)", [[TOP_A], [TOP_B]])
    below = [[root, unit] for root in (TOP_A, TOP_B) for unit in (root, *LEAVES, *ASSEMBLIES)]
    connection.executemany("insert into genealogy.abom_hierarchy values (?, ?)", below)
    numbers: dict[object, int] = {}
    for unit in (TOP_A, TOP_B, *ASSEMBLIES):
        if built.has_lines(unit):
            number = numbers.setdefault(built.configuration(unit), len(numbers))
            connection.execute("insert into genealogy.abom_configurations values (?, ?)", [unit, f"h{number}"])
    for p in pieces:
        values = [p.parent, p.child, p.requirement, p.origin, p.mbom, p.required_part, p.designator, p.part, p.revision]
        values += [
            None if p.quantity is None else float(p.quantity),
            p.substitute,
            f"S{p.child}",
            None,
            False,
            key_of(p.designator),
        ]
        connection.execute(INSTALL, values)


def macro(connection: duckdb.DuckDBPyConnection, a: int, b: int) -> list[Row]:
    cursor = connection.execute("from abom_compare(?, ?)", [a, b])
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]


def counted(rows: list[Row]) -> Counter[tuple[object, ...]]:
    names = sorted(change_columns(Change("", None, None, "", 1, below=False)))
    return Counter((row["path_text"], row["depth"], *(_plain(row[name]) for name in names)) for row in rows)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Fraction) else value


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(records())
def test_random_units(connection: duckdb.DuckDBPyConnection, pieces: list[Piece]) -> None:
    built = Built(pieces, part_of())
    fill(connection, pieces, built)
    found = macro(connection, TOP_A, TOP_B)
    expected = [
        change_columns(change) | {"path_text": change.path, "depth": change.depth}
        for change in compare(built, TOP_A, TOP_B, "TOP")
    ]
    assert counted(found) == counted(expected)

    # Whatever the matching, no piece is lost or created between the two units.
    if built.configuration(TOP_A) != built.configuration(TOP_B) and all(p.quantity is not None for p in pieces):
        assert totals(pieces, TOP_A) - gone(found) == totals(pieces, TOP_B)

    # Comparing in the opposite direction gives the same difference.
    mirror = {"installed": "missing", "missing": "installed"}
    backwards = Counter(mirror.get(row["change"], row["change"]) for row in macro(connection, TOP_B, TOP_A))
    assert backwards == Counter(row["change"] for row in found)


class Amounts(dict[str, Fraction]):
    """Quantities by part number, without those of 0."""

    def __sub__(self, other: "Amounts") -> "Amounts":
        parts = {*self, *other}
        left = {part: self.get(part, Fraction(0)) - other.get(part, Fraction(0)) for part in parts}
        return Amounts({part: amount for part, amount in left.items() if amount})


def totals(pieces: list[Piece], unit: int) -> Amounts:
    found = Amounts()
    for piece in pieces:
        if piece.parent == unit:
            found[piece.part] = found.get(piece.part, Fraction(0)) + (piece.quantity or 0)
    return found


def gone(rows: list[Row]) -> Amounts:
    """Quantities that the unit's own lines lost, by part number."""
    found = Amounts()
    for row in rows:
        for side, sign in (("before", 1), ("after", -1)):
            if row["depth"] == 1 and row[f"part_number_{side}"] is not None:
                part = row[f"part_number_{side}"]
                found[part] = found.get(part, Fraction(0)) + sign * Fraction(row[f"quantity_{side}"])
    return found


@settings(max_examples=examples(20))
@given(records())
def test_copies_do_not_differ(connection: duckdb.DuckDBPyConnection, pieces: list[Piece]) -> None:
    """The same lines under other requirements and in other serials."""
    own = [piece for piece in pieces if piece.parent != TOP_B]
    copies = [replace(p, parent=TOP_B, requirement=p.requirement + 7000) for p in own if p.parent == TOP_A]
    built = Built([*own, *copies], part_of())
    fill(connection, [*own, *copies], built)
    assert macro(connection, TOP_A, TOP_B) == []


def test_several_units_on_one_line_are_paired_by_configuration(connection: duckdb.DuckDBPyConnection) -> None:
    """10 and 12 have equal configurations and are skipped; 11 has no equal and is paired with both that have none."""
    bolts = {10: 1, 11: 2, 12: 1, 13: 5, 14: 6}
    common = {"origin": 11, "mbom": 1, "designator": None, "revision": "A", "substitute": False}
    inside = [
        Piece(pump, 100, 1, required_part="BOLT", part="BOLT", quantity=Fraction(amount), **common)
        for pump, amount in bolts.items()
    ]
    pumps = {TOP_A: (10, 11), TOP_B: (12, 13, 14)}
    held = [
        Piece(top, pump, top, required_part="PUMP", part="PUMP", quantity=Fraction(1), **common)
        for top, below in pumps.items()
        for pump in below
    ]
    fill(connection, [*inside, *held], Built([*inside, *held], part_of()))
    found = [
        (row["change"], row["path_text"], row["quantity_before"], row["quantity_after"])
        for row in macro(connection, TOP_A, TOP_B)
    ]
    assert sorted(found) == [
        ("quantity_changed", "TOP > PUMP", 2, 3),
        ("quantity_changed", "TOP > PUMP > BOLT", 2, 5),
        ("quantity_changed", "TOP > PUMP > BOLT", 2, 6),
    ]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("R1-R3", " r2; R1,r3", []),
        ("R1", "r1\t", []),
        (None, "  ", []),
        ("R1", "R3", ["designator_changed"]),
        ("R1-R3", "R1-R4", ["designator_changed"]),
    ],
)
def test_designators_are_compared_by_the_places_they_name(
    connection: duckdb.DuckDBPyConnection, before: str | None, after: str | None, changes: list[str]
) -> None:
    line = Piece(TOP_A, 100, 1, 11, 1, "BOLT", before, "BOLT", "A", Fraction(1), substitute=False)
    # Another difference makes the macro compare the two units.
    tag = Piece(TOP_A, 101, 2, 12, 1, "NUT", None, "NUT", "A", Fraction(1), substitute=False)
    pieces = [line, replace(line, parent=TOP_B, designator=after), tag]
    fill(connection, pieces, Built(pieces, part_of()))
    assert [row["change"] for row in macro(connection, TOP_A, TOP_B) if row["part_number_before"] == "BOLT"] == changes


@pytest.mark.parametrize(("other", "differs"), [(70, False), (71, True)])
def test_parts_that_ion_withholds_are_distinguished(
    connection: duckdb.DuckDBPyConnection, other: int, *, differs: bool
) -> None:
    """An API key without the export group gets the id of a part but not the part, also for the compared units."""
    fill(connection, [], Built([], part_of()))
    connection.execute("update reference.part_inventories set part_number = null")
    for top, child, part_id in ((TOP_A, 500, 70), (TOP_B, 501, other)):
        connection.execute("insert into genealogy.abom_hierarchy values (?, ?)", [top, child])
        connection.execute("insert into genealogy.abom_configurations values (?, ?)", [top, f"h{part_id}"])
        values = [top, child, 1, 11, 1, None, None, None, None, 1.0, False, f"S{child}", None, False, None]
        connection.execute(INSTALL.replace("null)", f"{part_id})"), values)
    found = macro(connection, TOP_A, TOP_B)
    names = ("change", "part_number_before", "part_number_after", "path_text")
    expected = [("replaced", "part 70", "part 71", "part 1 > part 71")] if differs else []
    assert [tuple(row[name] for name in names) for row in found] == expected


@pytest.mark.slow
@pytest.mark.parametrize(("levels", "found"), [(256, "quantity_changed"), (258, "not_compared")])
def test_what_is_deeper_than_a_comparison_goes_is_said(
    connection: duckdb.DuckDBPyConnection, levels: int, found: str
) -> None:
    """Two chains of pumps that differ in the quantity at their ends."""
    common = {"origin": None, "mbom": None, "designator": None, "revision": "A", "substitute": False}
    chains = [[top, *range(first, first + levels)] for top, first in ((TOP_A, 1_000), (TOP_B, 2_000))]
    pieces = [
        Piece(
            parent, child, 1, required_part="PUMP", part="PUMP",
            quantity=Fraction(top if child == chain[-1] else 1), **common,
        )
        for top, chain in zip((TOP_A, TOP_B), chains, strict=True)
        for parent, child in pairwise(chain)
    ]  # fmt: skip
    fill(connection, [], Built([], part_of()))
    for top, chain in zip((TOP_A, TOP_B), chains, strict=True):
        connection.executemany("insert into genealogy.abom_hierarchy values (?, ?)", [[top, unit] for unit in chain])
        connection.executemany(
            "insert into genealogy.abom_configurations values (?, ?)", [[unit, f"h{unit}"] for unit in chain[:-1]]
        )
    rows = [[p.parent, p.child, 1, None, None, "PUMP", None, "PUMP", "A", float(p.quantity or 0), False, None, None,
             False, None] for p in pieces]  # fmt: skip
    connection.executemany(INSTALL, rows)
    [row] = macro(connection, TOP_A, TOP_B)
    assert (row["change"], row["depth"], row["path_text"].count("PUMP")) == (found, 256, 256)
