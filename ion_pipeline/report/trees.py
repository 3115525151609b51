"""Chooses the as-built trees of a report and reads their lines. The page has a maximum number of lines."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import duckdb

from ion_pipeline.errors import SettingsError
from ion_pipeline.report import queries
from ion_pipeline.report.model import TreeLine, Trees

# A line takes about 300 bytes on the page.
MAX_LINES = 10_000


def read_trees(
    connection: duckdb.DuckDBPyConnection, *, named: Sequence[int], units: int, max_lines: int = MAX_LINES
) -> Trees:
    """The trees of the units requested by name, then those of the newest top-level units while the lines fit.

    Raises:
        SettingsError: The trees requested by name have more lines than a report can show.
    """
    named = list(dict.fromkeys(named))
    room = max_lines - sum(row[1] for row in connection.execute(queries.LINE_COUNTS, {"roots": named}).fetchall())
    if room < 0:
        raise SettingsError(
            f"The requested units have {max_lines - room:,} lines; a report shows at most {max_lines:,}.",
            remedy="Request fewer units, or show one with `ion-pipeline abom show`.",
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
