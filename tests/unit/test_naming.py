"""Names as a person would write them."""

import pytest

from ion_pipeline.catalog.naming import column_name, singular


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("id", "id"),
        ("originMbomItemId", "origin_mbom_item_id"),
        ("_updated", "_updated"),
        ("_etag", "_etag"),
        ("Updated", "_updated"),
        ("Created", "_created"),
        ("Etag", "_etag"),
        ("s3Bucket", "s3_bucket"),
        ("LastSessionId", "last_session_id"),
        ("LatestRevisionScheme", "latest_revision_scheme"),
        ("enforceMfa", "enforce_mfa"),
        ("displayPDFPage", "display_pdf_page"),
    ],
)
def test_column_name(field: str, column: str) -> None:
    assert column_name(field) == column


@pytest.mark.parametrize(
    ("table", "row"),
    [("parts", "part"), ("part_inventories", "part_inventory"), ("run_batches", "run_batch"), ("mboms", "mbom")],
)
def test_singular(table: str, row: str) -> None:
    assert singular(table) == row
