"""What dbt's warnings mean, and what to do: one sentence each, with the words of docs/runbooks.md ("dbt's tests")."""

import re

from ion_pipeline.pipeline.dbt.report import BuildReport, NodeResult

# The tests that warn, by the end of their name: what was found, and what to do.
ADVICE = {
    "refers_to": (
        "{rows} refer to a row that is not there",
        "run `ion-pipeline reconcile`; if it persists, it is so in ION",
    ),
    "known_values": (
        "{values} of ION that the models do not know, passed on unchanged",
        "report it; docs/seeds.md, if it needs a decision",
    ),
    "not_empty": ("the table has no rows", "nothing in a new tenant; else look which permission was lost"),
    "stays_below": (
        "{rows} of ION are nested deeper than the models follow",
        "correct it in ION, or accept it; tree_cut_off in genealogy.genealogy_anomalies names units",
    ),
    "limits_swapped": ("{fields} with the lower limit above the upper one", "swap them in the procedure"),
    "items_without_receipt": (
        "{items} received, whose receipt ION does not show",
        "look the receipt up in ION: it is deleted, or hidden from the key",
    ),
    "splits_in_a_ring": (
        "{inventories} split from themselves or from each other",
        "ask who changed them in ION; each still counts once",
    ),
    "disposition_categories_unmapped": (
        "{values} of ION without a category, shown as unmapped",
        "add them to your own seed (docs/seeds.md)",
    ),
    "limit_functions_unmapped": (
        "{values} of ION without a meaning, shown as unmapped",
        "add them to your own seed (docs/seeds.md)",
    ),
}
# Tests whose names do not end in their kind.
_KINDS = {
    r"_stays_below_cap$|^int_inventories__split_origins_depth$": "stays_below",
    r"^schema_drift_kinds$": "known_values",
}
_COUNT = re.compile(r"Got (\d+) results?")
_PLURALS = {"rows": "row", "values": "value", "fields": "field", "items": "item", "inventories": "inventory"}


def kind_of(test: str) -> str | None:
    """The key of `ADVICE` for the name of a test; None if it is none of these."""
    for pattern, kind in _KINDS.items():
        if re.search(pattern, test):
            return kind
    return next((kind for kind in ADVICE if test == kind or test.endswith(f"_{kind}")), None)


def warning_lines(report: BuildReport) -> list[str]:
    """One sentence per test that warns: its name, what it found, what to do."""
    return [_line(node) for node in report.warnings]


def _line(node: NodeResult) -> str:
    test = node.unique_id.split(".")[2]
    kind = kind_of(test)
    if kind is None:
        return f"{test}: {node.message} docs/runbooks.md has the test."
    found, advice = ADVICE[kind]
    counted = _COUNT.search(node.message)
    count = int(counted[1]) if counted else None
    words = {
        many: f"{many} (number not known)" if count is None else f"{count:,} {one if count == 1 else many}"
        for many, one in _PLURALS.items()
    }
    return f"{test}: {found.format(**words)}: {advice}."
