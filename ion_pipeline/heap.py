"""Keeps Python's garbage collector from work that finds nothing: thousands of objects made at once, none in a cycle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection while something large is built that stays.

    Each looks through all that is there so far; parsing the schema took a third longer for it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def heap_at_rest() -> Iterator[None]:
    """Keep the collector from looking through everything made before (schemas, modules) with every few pages.

    A page is thousands of objects without a cycle; parsing it sets the collector off, which cost a fifth of the CPU.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
