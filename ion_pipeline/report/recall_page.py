"""The recall page: which units contain suspect lots or serials, to print and to send; and the same rows as CSV."""

from collections.abc import Sequence
from datetime import datetime

from ion_pipeline.counting import plural
from ion_pipeline.plain import csv_line
from ion_pipeline.publish.containment import DataAge, Recall
from ion_pipeline.publish.query import Row
from ion_pipeline.publish.read import identity
from ion_pipeline.report import numbers
from ion_pipeline.report.layout import no_data, note, section, table
from ion_pipeline.report.markup import Child, Markup, tag
from ion_pipeline.report.page import document, moment

_COLUMNS = (
    "recalled_part", "recalled_number", "found_in", "part_number", "part_revision", "part_description",
    "serial_number", "lot_number", "part_inventory_id", "status", "location_path", "attributes", "quantity_per_unit",
    "place_count", "places", "installations", "data_as_of",
)  # fmt: skip
_SEPARATOR = " | "


def recall_page(recalls: Sequence[Recall], age: DataAge, *, published_at: datetime, now: datetime) -> str:
    """The page as HTML: per lot the verdict, what is missing from it, the units, and the lot's own pieces.

    Args:
        recalls: The suspect lots and serials.
        age: Whose data it is, and how old.
        published_at: When the data was published.
        now: The time of writing.
    """
    title = f"Recall of {', '.join(recall.name for recall in recalls)}"
    hours = None if age.read_at is None else (now - age.read_at).total_seconds() / 3600
    body = tag(
        "body",
        tag(
            "header",
            tag("h1", title),
            tag(
                "p",
                tag("b", age.tenant or "no tenant"),
                moment(", as ION was at", age.read_at),
                moment(", published", published_at),
                moment(", page written", now),
            ),
            tag("p", f"The data was {numbers.duration(hours)} old when this page was written.", id="age"),
            [
                tag("p", f"INCOMPLETE: {recall.verdict} See below.", class_="open")
                for recall in recalls
                if recall.warnings
            ],
            tag("p", _total(recalls)) if len(recalls) > 1 else None,
        ),
        tag("main", [_section(number, recall) for number, recall in enumerate(recalls)]),
    )
    return document(f"{title}, {numbers.instant(age.read_at)} UTC", body)


def recall_csv(recalls: Sequence[Recall], age: DataAge) -> str:
    """The units as CSV, one row per suspect lot and unit; text that a spreadsheet would run gets an apostrophe."""
    as_of = age.read_at.isoformat() if age.read_at else ""
    lines = [csv_line(_COLUMNS)]
    for recall in recalls:
        for found_in, units in (("tree", recall.units), ("installations only", recall.outside)):
            lines += [csv_line(_csv_cells(recall, found_in, unit, as_of)) for unit in units]
    return "".join(f"{line}\r\n" for line in lines)


def _csv_cells(recall: Recall, found_in: str, unit: Row, as_of: str) -> list[object]:
    places = unit.get("places", [])
    return [
        recall.part, recall.name, found_in,
        unit["part_number"], unit["part_revision"], unit["part_description"], unit["serial_number"],
        unit["lot_number"], unit["part_inventory_id"], unit["status"], unit["location_path"],
        _SEPARATOR.join(unit.get("attributes") or ()), _nine_digits(unit.get("quantity_extended")),
        unit.get("path_count"),
        _SEPARATOR.join(place["path_text"] for place in places), _SEPARATOR.join(map(_evidence, places)), as_of,
    ]  # fmt: skip


def _nine_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.9g}"


def _total(recalls: Sequence[Recall]) -> str:
    units = {unit["part_inventory_id"] for recall in recalls for unit in (*recall.units, *recall.outside)}
    return f"{plural(len(units), 'different unit')} in all; a unit that contains several is listed with each."


def _section(number: int, recall: Recall) -> Markup:
    complete = (
        "This is the whole answer for this data: every level of every unit, and everything split off. What was "
        "installed and removed again before the data was read is not listed."
    )
    return section(
        f"recall-{number}",
        f"{recall.name} of {recall.part}",
        [tag("p", f"INCOMPLETE. {sentence}", class_="open") for sentence in recall.warnings],
        tag("p", recall.verdict, class_="verdict"),
        None if recall.warnings else tag("p", complete),
        _units(recall) if recall.units else no_data("No top-level unit contains it."),
        _outside(recall) if recall.outside else None,
        tag("h3", "The lot or serial itself, and what was split off it"),
        _pieces(recall),
        note("Quantity: pieces or measure in one piece of the unit. Times are UTC. The CSV file has the same rows."),
    )


def _units(recall: Recall) -> Markup:
    return table(
        f"Top-level units that contain {recall.name}",
        ("Unit", "Status", "Location", "Quantity", "Places, and when installed"),
        [
            (
                _identity(unit),
                unit["status"] or numbers.DASH,
                unit["location_path"] or "no location",
                "unknown" if unit["quantity_extended"] is None else numbers.measured(unit["quantity_extended"]),
                tag("ul", [tag("li", _place(place)) for place in unit["places"]]),
            )
            for unit in recall.units
        ],
        numeric=(3,),
    )


def _outside(recall: Recall) -> list[Child]:
    return [
        tag("h3", "In no tree: above it in the installations only"),
        table(
            f"Units above {recall.name} that are in no tree with it",
            ("Unit", "Status", "Location"),
            [
                (_identity(unit), unit["status"] or numbers.DASH, unit["location_path"] or "no location")
                for unit in recall.outside
            ],
        ),
    ]


def _pieces(recall: Recall) -> Markup:
    return table(
        f"Pieces of {recall.name}",
        ("Piece", "Status", "Location", "Quantity", "Available", "Installed", "Scrapped", "Supplier"),
        [
            (
                [_identity(piece), " split off" if piece["is_split"] else None],
                piece["status"] or numbers.DASH,
                piece["location_path"] or "no location",
                f"{numbers.count(piece['quantity'])} {piece['unit_of_measure'] or ''}".strip(),
                numbers.count(piece["quantity_available"]),
                numbers.count(piece["quantity_installed"]),
                numbers.count(piece["quantity_scrapped"]),
                piece["supplier_name"] or numbers.DASH,
            )
            for piece in recall.pieces
        ],
        numeric=(3, 4, 5, 6),
    )


def _identity(unit: Row) -> list[Child]:
    number = identity(unit["serial_number"], unit["lot_number"], unit["part_inventory_id"])
    part = " ".join(filter(None, (unit["part_number"], unit["part_revision"])))
    described = [unit.get("part_description"), *(unit.get("attributes") or ())]
    return [
        tag("b", number),
        " ",
        tag("span", part, class_="whole"),
        [[tag("br"), tag("span", text, class_="quiet")] for text in described if text and text.strip()],
    ]


def _place(place: Row) -> list[Child]:
    return [place["path_text"], " ", tag("span", _evidence(place), class_="quiet")]


def _evidence(place: Row) -> str:
    if place["abom_installation_id"] is None:
        return "installation without id"
    person = f" by {place['installed_by']}" if place["installed_by"] else ""
    return f"installed {numbers.instant(place['installed_at'])}{person} (installation {place['abom_installation_id']})"
