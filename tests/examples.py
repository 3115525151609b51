"""How often something is tried: a few times for a developer, as often as it takes for `make test-all`."""

import os

ALL = os.environ.get("ION_TEST_EXAMPLES") == "all"
SHARE = 5


def examples(count: int) -> int:
    """Return how many of a property's `count` examples to try in this run."""
    return count if ALL else min(count, max(3, count // SHARE))


def attempts(few: int, of: int) -> int:
    """Return how many of `of` attempts to make in this run, if `few` of them show what is tested."""
    return of if ALL else few
