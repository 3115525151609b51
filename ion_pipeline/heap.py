"""Avoids garbage collections that find nothing, while many objects without reference cycles are created."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector while a large, long-lived object is built.

    Each collection traverses all objects created so far, which made parsing the schema a third slower.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def gc_frozen() -> Iterator[None]:
    """Exclude all existing objects (schemas, modules) from garbage collection.

    A page consists of thousands of objects without cycles, so every few pages trigger a collection. Traversing the
    existing objects each time took a fifth of the CPU.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
