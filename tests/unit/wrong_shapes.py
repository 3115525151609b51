"""Answers that are wrong at one place: each place of a good one, with each kind of value that does not belong there."""

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any

MISSING = object()
SECRET = "private-value"
# Each by a name, of which a test says where it is right.
VALUES: Mapping[str, Any] = {
    "missing": MISSING,
    "null": None,
    "text": SECRET,
    "digits": "12",
    "number": 7,
    "negative": -1,
    "fraction": 1.5,
    "boolean": True,
    "list": [],
    "object": {},
    "null in a list": [None],
    "text in a list": [SECRET],
}
TEXTS = frozenset({"text", "digits"})
NUMBERS = frozenset({"number"})


def wrong_answers(
    good: Any, right: Mapping[str, Collection[str]], *, at: Collection[str] | None = None
) -> Iterator[tuple[str, str, Any]]:
    """Path, name of the value, and the answer.

    Args:
        good: A good answer.
        right: Names of the values that are right at a place, by its path; at all others none is but the good one's.
        at: The places; all of them by default.
    """
    for path, steps in _places(good, "", ()):
        if at is not None and path not in at:
            continue
        for name, value in VALUES.items():
            if name in right.get(path, ()):
                continue
            answer = copy.deepcopy(good)
            holder = answer
            for step in steps[:-1]:
                holder = holder[step]
            if value is not MISSING:
                holder[steps[-1]] = copy.deepcopy(value)
            elif isinstance(steps[-1], str):
                del holder[steps[-1]]
            else:
                continue
            yield path, name, answer


def _places(value: Any, path: str, steps: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    if steps:
        yield path, steps
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{path}.{name}" if path else name, (*steps, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, f"{path}[{index}]", (*steps, index))
