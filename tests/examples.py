"""How many examples a property is tried with: a few for a developer, all of them for `make test-all`."""

import os

ALL = os.environ.get("ION_TEST_EXAMPLES") == "all"
SHARE = 5


def examples(count: int) -> int:
    """Return how many of a property's `count` examples to try in this run."""
    return count if ALL else min(count, max(3, count // SHARE))
