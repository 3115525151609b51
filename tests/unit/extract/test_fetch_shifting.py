"""Reading by cursor while rows come and go: what shifts is followed, or noticed where rows have no cursors."""

import pytest

from ion_pipeline.extract import PagingError
from tests.unit.extract.mini_ion import MiniIon, sdl
from tests.unit.extract.support import Read, relations

WITHOUT_CURSORS = sdl().replace(" cursor: String", "")


def test_rows_that_shift_under_cursors_are_not_missed() -> None:
    ion = MiniIon({"issueRelations": relations(20)})

    def delete(connection: str, number: int) -> None:
        if connection == "issueRelations" and number == 3:
            del ion.rows["issueRelations"][0]

    ion.before = delete  # type: ignore[assignment]
    read = Read(ion, ["issue_relations"], page_size=4)
    # One was there when it was read.
    assert read.rows.of("issue_relations", "origin_issue_id") == list(range(20))
    assert (read.rows.discarded, read.results["issue_relations"].unsettled) == ([], 1)


def test_a_row_put_before_the_cursor_is_for_the_next_read() -> None:
    ion = MiniIon({"issueRelations": relations(20)})

    def insert(connection: str, number: int) -> None:
        if connection == "issueRelations" and number == 3:
            ion.rows["issueRelations"] = [{"originIssueId": 99, "relatedIssueId": 1}, *ion.rows["issueRelations"][:-1]]

    ion.before = insert  # type: ignore[assignment]
    read = Read(ion, ["issue_relations"], page_size=4)
    assert read.rows.of("issue_relations", "origin_issue_id") == list(range(19))
    assert (read.rows.discarded, read.results["issue_relations"].unsettled) == ([], 1)


def test_without_cursors_of_rows_shifts_are_noticed_and_all_is_read_again() -> None:
    ion = MiniIon({"issueRelations": relations(20)}, text=WITHOUT_CURSORS)

    def delete(connection: str, number: int) -> None:
        if connection == "issueRelations" and number == 3:
            del ion.rows["issueRelations"][0]

    ion.before = delete  # type: ignore[assignment]
    read = Read(ion, ["issue_relations"], page_size=4)
    assert read.rows.of("issue_relations", "origin_issue_id") == list(range(1, 20))
    assert read.rows.discarded == ["issue_relations"]


def test_a_tenant_at_work_all_the_time_is_read() -> None:
    """Before each request a row is added at the end, and before every other one the first is taken away."""
    ion = MiniIon({"issueRelations": relations(20)})

    def work(connection: str, number: int) -> None:
        if connection == "issueRelations":
            ion.rows["issueRelations"] = relations(20 + number)[number // 2 :]

    ion.before = work  # type: ignore[assignment]
    read = Read(ion, ["issue_relations"], page_size=4)
    found = read.rows.of("issue_relations", "origin_issue_id")
    assert found == sorted(set(found))
    left = {row["originIssueId"] for row in ion.rows["issueRelations"]}
    assert set(found) >= left & set(range(20))
    assert len(left & set(range(20))) > 5
    assert read.rows.discarded == []


def test_without_cursors_of_rows_it_is_an_error_after_the_second_reading() -> None:
    ion = MiniIon({"issueRelations": relations(20)}, text=WITHOUT_CURSORS)

    def churn(connection: str, number: int) -> None:
        if connection == "issueRelations":
            ion.rows["issueRelations"] = relations(20 + number)

    ion.before = churn  # type: ignore[assignment]
    with pytest.raises(PagingError, match=r"issue_relations: ION counted \d+ rows and then \d+"):
        Read(ion, ["issue_relations"], page_size=4)
