"""The cost of reading a page's JSON: the fast parser alone, the search for numbers that it would round, and both.

    python -m benchmarks parsing --rounds 200

The pages are run steps with attributes, with three kinds of numbers: short ones; two doubles of 17 digits per row, such
as sums of decimal fractions; one number that no double holds, for which the slow parser is used.
"""

import argparse
import random
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from ion_pipeline.client import body

_KINDS = ("short", "17 digits", "one too long")
# Rows of a page, and the factor by which its number of rounds is reduced.
_PAGES = {"200 kB": (450, 1), "2 MB": (4500, 10)}
_TOO_LONG = b"123456789012345678901234567890"
# The alternative to the search: one regular expression over the body.
_EXPRESSION = re.compile(rb"[:,\[\s]-?[0-9][0-9.]{15}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {Path(__file__).stem}")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args(arguments)
    ways: dict[str, Callable[[bytes], Any]] = {
        "orjson ms": orjson.loads,
        "search ms": body._may_lose_digits,
        "read ms": body.decoded,
        "one expression ms": _EXPRESSION.search,
    }
    print(f"| page | numbers | kB | {' | '.join(ways)} |\n|---|---|--:|{'--:|' * len(ways)}")
    for size, (rows, fewer) in _PAGES.items():
        for kind in _KINDS:
            page = _page(rows, kind)
            costs = [f"{seconds * 1e3:.2f}" for seconds in _least(list(ways.values()), page, options.rounds // fewer)]
            print(f"| {size} | {kind} | {len(page) / 1e3:.0f} | {' | '.join(costs)} |")


def _page(rows: int, kind: str) -> bytes:
    chance = random.Random(7)
    page = orjson.dumps({"data": {"runSteps": {"edges": [_edge(number, kind, chance) for number in range(rows)]}}})
    return page.replace(b'"value":0.3}', b'"value":' + _TOO_LONG + b"}", 1) if kind == "one too long" else page


def _edge(number: int, kind: str, chance: random.Random) -> dict[str, Any]:
    def instant() -> str:
        return f"2026-03-01T08:15:{number % 60:02}.{chance.randrange(10**6):06}+00:00"

    is_long = kind == "17 digits"
    return {
        "cursor": f"YXJyYXljb25uZWN0aW9u{number}",
        "node": {
            "id": 1_000_000 + number,
            "_created": instant(),
            "_updated": instant(),
            "_etag": f"{chance.getrandbits(128):032x}",
            "title": f"Torque the bolts of bracket {number}",
            "status": "COMPLETE",
            "runId": chance.randrange(10**6),
            "position": number,
            "quantity": chance.random() if is_long else round(chance.random(), 3),
            "originId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "attributes": [{"key": "mass", "value": 0.1 + 0.2 if is_long else 0.3}, {"key": "bolts", "value": 4}],
        },
    }


def _least(ways: list[Callable[[bytes], Any]], page: bytes, rounds: int) -> list[float]:
    """Return the least seconds of each, measured alternately: other work on the machine can only add to them."""
    least = [float("inf")] * len(ways)
    for _ in range(rounds):
        for index, way in enumerate(ways):
            began = time.perf_counter()
            way(page)
            least[index] = min(least[index], time.perf_counter() - began)
    return least
