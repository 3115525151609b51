"""What is known of several entities is looked up together, and only what is not there yet."""

from array import array
from collections.abc import Iterable

from ion_pipeline.extract.state import Ids, NoRows, load_ids


class Stored(NoRows):
    def __init__(self) -> None:
        self.asked: list[set[str]] = []

    def ids(self, entities: Iterable[str]) -> "dict[str, array[int]]":
        self.asked.append(set(entities))
        return {entity: array("q", range(len(entity))) for entity in self.asked[-1]}


def test_one_look_up_for_all_that_are_missing() -> None:
    known = Stored()
    parts, runs, units = (Ids(name, len(name), known) for name in ("parts", "runs", "units"))
    parts.add([7])
    load_ids([parts, runs, units], known)
    load_ids([parts, runs, units], known)
    assert [list(ids.all) for ids in (parts, runs, units)] == [[0, 1, 2, 3, 4, 7], [0, 1, 2, 3], [0, 1, 2, 3, 4]]
    assert [asked for asked in known.asked if asked] == [{"parts"}, {"runs", "units"}]
