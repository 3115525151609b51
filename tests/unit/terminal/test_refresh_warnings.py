"""What a refresh says at its end."""

import io

from ion_pipeline.terminal.text import PlainConsole
from ion_pipeline.terminal.views import rows_view, warnings_of_read

COUNT = "ion/abom_edges: count_matches_ion: This tenant's schema has no abom_edges; it was left out."
DRIFT = "ion/abom_edges: schema_matches_catalog: missing: abom_edges"


def test_differences_of_the_schema_are_one_sentence_and_what_the_build_has_said_is_not_said_again() -> None:
    built = "quality/issues: disposition_categories_unmapped: Got 1 result, configured to warn if != 0"
    assert warnings_of_read([COUNT, DRIFT, built]) == [COUNT, DRIFT]
    assert warnings_of_read([DRIFT, COUNT, "ion/parts: schema_matches_catalog: new: Part.colour", built]) == [
        COUNT,
        "This tenant's schema differs from the shipped one in 2 entities (abom_edges, parts): "
        "`ion-pipeline check` shows how.",
    ]


def test_no_count_is_cut_on_eighty_columns() -> None:
    stream = io.StringIO()
    names = ["purchase_order_line_part_inventories", "run_step_field_validations", "issue_disposition_type_roles"]
    PlainConsole(file=stream, width=80, soft_wrap=True).print(rows_view([(name, 1_234_567) for name in names]))
    assert stream.getvalue().count("1,234,567") == 3
    assert "\N{HORIZONTAL ELLIPSIS}" not in stream.getvalue()
    assert max(map(len, stream.getvalue().splitlines())) == 80
