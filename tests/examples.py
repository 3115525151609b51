"""How often something is tried: a few times by default, more in `make test-all`, for hours in `make test-night`."""

import os

_TIER = os.environ.get("ION_TEST_EXAMPLES")
NIGHT = _TIER == "night"
ALL = NIGHT or _TIER == "all"
SHARE = 5


def examples(count: int, *, night: int | None = None) -> int:
    """Return how many of a property's `count` examples to try in this run.

    Args:
        count: Those of `make test-all`.
        night: Those of `make test-night`; by default ten times as many.
    """
    if NIGHT:
        return night or 10 * count
    return count if ALL else min(count, max(3, count // SHARE))


def attempts(few: int, of: int) -> int:
    """Return how many of `of` attempts to make in this run, if `few` of them show what is tested."""
    return of if ALL else few
