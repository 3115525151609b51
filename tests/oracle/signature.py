"""The content on which two representations of the same trees must agree, without the ids of edges."""

from tests.oracle.world import Row


def tree_signature(tree: list[Row]) -> list[Row]:
    """Return the content on which both API generations must agree, for rows of ``hierarchy``: all but the ids of edges.

    Rows with the same path are numbered in the order of their other content.
    """
    chains = {(row["root_part_inventory_id"], row["path"]): row["reference_designator"] for row in tree}
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in tree:
        root, path = row["root_part_inventory_id"], row["path"]
        designators = tuple(chains[root, path[:n]] for n in range(1, len(path)))
        last = None if row["is_open_requirement"] else row["reference_designator"]
        key = (root, row["path_ids"], designators, last, row["part_id"], row["is_open_requirement"])
        groups.setdefault(key, []).append(row)
    # The extended quantity comes last: it may differ by rounding, so it must not decide the order alone.
    said = ("quantity_installed", "quantity_required", "is_made_on_assembly", "quantity_extended")
    return [
        {"signature": (*key, place)} | {name: row[name] for name in said}
        for key, group in groups.items()
        for place, row in enumerate(sorted(group, key=lambda row: [(row[n] is None, row[n] or 0) for n in said]))
    ]
