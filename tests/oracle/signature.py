"""What two tellings of the same trees must agree upon, whatever ids they give to edges."""

from tests.oracle.world import Row


def tree_signature(tree: list[Row]) -> list[Row]:
    """Give what both API generations must agree upon, for rows of ``hierarchy``: everything but the ids of edges.

    Rows that look the same but for what they say are numbered in the order of these.
    """
    chains = {(row["root_part_inventory_id"], row["path"]): row["reference_designator"] for row in tree}
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in tree:
        root, path = row["root_part_inventory_id"], row["path"]
        designators = tuple(chains[root, path[:n]] for n in range(1, len(path)))
        last = None if row["is_open_requirement"] else row["reference_designator"]
        key = (root, row["path_ids"], designators, last, row["part_id"], row["is_open_requirement"])
        groups.setdefault(key, []).append(row)
    # The extended quantity comes last: it is the one that may differ by rounding, and must not decide the order alone.
    said = ("quantity_installed", "quantity_required", "is_made_on_assembly", "quantity_extended")
    return [
        {"signature": (*key, place)} | {name: row[name] for name in said}
        for key, group in groups.items()
        for place, row in enumerate(sorted(group, key=lambda row: [(row[n] is None, row[n] or 0) for n in said]))
    ]
