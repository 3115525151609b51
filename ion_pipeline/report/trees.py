"""Which as-built trees go into a report, and their lines. A page has room for so many."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import duckdb

from ion_pipeline.errors import SettingsError
from ion_pipeline.report import queries
from ion_pipeline.report.model import TreeLine, Trees

# About 300 bytes each on the page.
MAX_LINES = 10_000


def read_trees(
    connection: duckdb.DuckDBPyConnection, *, named: Sequence[int], units: int, max_lines: int = MAX_LINES
) -> Trees:
    """The trees of the units asked for, then those of the newest top-level units as far as there is room.

    Raises:
        SettingsError: Those asked for do not fit.
    """
    named = list(dict.fromkeys(named))
    room = max_lines - sum(row[1] for row in connection.execute(queries.LINE_COUNTS, {"roots": named}).fetchall())
    if room < 0:
        raise SettingsError(
            f"The units asked for have {max_lines - room:,} lines; a report holds {max_lines:,}.",
            remedy="Name fewer of them, or look at one with `ion-pipeline abom show`.",
        )
    candidates = connection.execute(queries.TOP_LEVEL, {"limit": max(units + len(named), 1)}).fetchall()
    top_level_count = candidates[0][2] if candidates else 0
    roots = list(named)
    for part_inventory_id, line_count, _ in candidates:
        if part_inventory_id in named or len(roots) - len(named) == units or line_count > room:
            continue
        roots.append(part_inventory_id)
        room -= line_count
    rows = connection.execute(queries.TREES, {"roots": roots}).fetchall()
    lines = {root: tuple(TreeLine(*row[1:]) for row in group) for root, group in groupby(rows, key=itemgetter(0))}
    return Trees(tuple(lines[root] for root in roots), len(named), top_level_count)
