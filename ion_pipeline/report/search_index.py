"""The index of the search as compact JSON; `report.js` decodes it.

Names are in order, and each is written without the beginning that it shares with the one before. The units of a name
are a text: the gaps between their numbers, in digits of five bits. A serial in one unit takes two or three characters.
"""

import json
import string
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ion_pipeline.report.markup import Markup, tag
from ion_pipeline.report.model import Report, TreeLine

# 64 digits: the upper 32 say that the next digit belongs to the same number.
DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_BASE = 32
# Beyond it, a character is two in JavaScript.
_LAST_UNIT = 0xFFFF


def search_index(report: Report) -> Markup:
    """The element with the index, escaped so that its text cannot end it."""
    used = report.where_used
    parts = {part: number for number, part in enumerate(dict.fromkeys(use.part for use in used.uses))}
    at_lines, roots = _on_page(report.trees.trees)
    page_roots = {number: roots[unit] for number, (unit, _) in enumerate(used.tops) if unit in roots}
    places = {}
    for number, use in enumerate(used.uses):
        if found := [line for piece in use.pieces for line in at_lines.get(piece, ())]:
            places[number] = sorted(found)
    index = {
        "tops": front_coded([label for _, label in used.tops]),
        "parts": list(parts),
        "names": front_coded([use.name for use in used.uses]),
        "of": [parts[use.part] for use in used.uses],
        "in": [encoded(use.units) for use in used.uses],
        "short": [number for number, use in enumerate(used.uses) if use.is_short],
        "roots": page_roots,
        "places": places,
    }
    written = json.dumps(index, ensure_ascii=True, separators=(",", ":"))
    safe = written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return tag("script", Markup(safe), type="application/json", id="index")


def encoded(numbers: Iterable[int]) -> str:
    """Ascending numbers as a text: each gap, less one, in digits of five bits, lowest first."""
    written, last = [], -1
    for number in numbers:
        gap, last = number - last - 1, number
        while gap >= _BASE:
            written.append(DIGITS[_BASE + gap % _BASE])
            gap //= _BASE
        written.append(DIGITS[gap])
    return "".join(written)


def front_coded(names: Sequence[str]) -> list[str]:
    """Each name as a digit, the number of characters it shares with the one before, and the rest of it."""
    written, last = [], ""
    for name in names:
        shared = 0
        for one, other in zip(name[: len(DIGITS) - 1], last, strict=False):
            if one != other or ord(one) > _LAST_UNIT:
                break
            shared += 1
        written.append(DIGITS[shared] + name[shared:])
        last = name
    return written


def _on_page(trees: Sequence[Sequence[TreeLine]]) -> tuple[dict[int, list[list[int]]], dict[int, int]]:
    """For each piece, its lines on the page, each with the line of its unit; and for each unit, its own line."""
    at_lines: dict[int, list[list[int]]] = defaultdict(list)
    roots: dict[int, int] = {}
    number = 0
    for lines in trees:
        root = number
        for line in lines:
            if line.part_inventory_id is not None:
                at_lines[line.part_inventory_id].append([number, root])
            number += 1
        if lines[0].part_inventory_id is not None:
            roots.setdefault(lines[0].part_inventory_id, root)
    return at_lines, roots
