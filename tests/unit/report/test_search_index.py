"""The coded index: a reader that knows only its description gets back what was written."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.report.search_index import encoded, front_coded
from tests.examples import examples
from tests.search_index import names_of, numbers_of


@settings(max_examples=examples(60))
@given(st.sets(st.integers(0, 10**6)))
def test_numbers_come_back(numbers: set[int]) -> None:
    assert numbers_of(encoded(sorted(numbers))) == sorted(numbers)


def test_neighbours_take_one_character_and_others_few() -> None:
    assert encoded(range(1000)) == "A" * 1000
    assert [len(encoded([number])) for number in (0, 31, 32, 1023, 1024, 32767)] == [1, 1, 2, 2, 3, 3]


@settings(max_examples=examples(60))
@given(st.lists(st.text(st.sampled_from("ab\U0001f600\U0001f601ä"), max_size=90)))
def test_names_come_back(names: list[str]) -> None:
    names = sorted(names)
    assert names_of(front_coded(names)) == names


def test_names_of_a_series_take_little_room() -> None:
    names = [f"RA-3100-{number:05}" for number in range(1000)]
    assert sum(map(len, front_coded(names))) < 0.2 * sum(map(len, names))
