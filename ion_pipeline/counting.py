"""How far a step is, for people who wait: so many of so many are done, and what is worked on now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Count:
    """How far a step is.

    Attributes:
        done: How many are done.
        total: How many there are, as far as it is known by now.
        unit: What is counted, such as `tables`.
        doing: What is done with them, such as `writing Parquet`; empty if the title of the phase says it.
        name: The one that is worked on now; empty if none is.
        share: How much of the work of the phase is done, from 0 to 1; None if nothing says so. Nodes and tables differ
            in size, and a phase may do several things with them, so this is not always `done` / `total`.
    """

    done: int
    total: int
    unit: str
    doing: str = ""
    name: str = ""
    share: float | None = None


OnCount = Callable[[Count], None]


def unheard(count: Count) -> None:
    """Discard a count."""


def counted(
    items: Sequence[T],
    on_count: OnCount,
    *,
    unit: str,
    doing: str = "",
    name: Callable[[T], str] = str,
    work: Sequence[int] = (),
    before: int = 0,
) -> Iterator[T]:
    """Yield items, and say before each of them how many are done, and at the end that all are.

    Args:
        items: The items.
        on_count: Called with each count.
        unit: As in `Count`.
        doing: As in `Count`.
        name: The name of an item.
        work: How much work each item is; if empty, the share of the work is not known.
        before: Items that are part of the whole and need no work.
    """
    total, all_work = before + len(items), sum(work)
    for number, item in enumerate(items):
        share = sum(work[:number]) / all_work if all_work else None
        on_count(Count(before + number, total, unit, doing, name(item), share))
        yield item
    on_count(Count(total, total, unit, doing, share=1.0))


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """A number with its noun: `1 row`, `1,204 rows`; `nouns` if the plural does not end in -s alone."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
