"""How far a build is: nodes, and the share of the work by the seconds that each node took before."""

from collections.abc import Mapping

from ion_pipeline.counting import Count, OnCount, unheard


class NodeCount:
    """Counts the nodes of a build.

    Args:
        on_count: Called when a node begins or ends.
        seconds: What the nodes took before, by unique id. The share of the work is known only if these are the nodes
            of this build: there are as many, and each that ends is one of them.
    """

    def __init__(self, on_count: OnCount = unheard, seconds: Mapping[str, float] | None = None) -> None:
        self._on_count = on_count
        self._seconds = dict(seconds or {})
        self._work, self._finished = sum(self._seconds.values()), 0.0
        self._running: dict[str, None] = {}
        self._done = 0

    def started(self, unique_id: str, total: int) -> None:
        """A node of so many begins."""
        self._running[unique_id] = None
        self._say(total)

    def finished(self, unique_id: str, total: int, *, executed: bool = True) -> None:
        """A node has ended, however it has ended; one that was not executed was no work."""
        self._running.pop(unique_id, None)
        self._done += 1
        seconds = self._seconds.pop(unique_id, None)
        if seconds is None:
            self._work = 0.0
        elif executed:
            self._finished += seconds
        else:
            self._work -= seconds
        self._say(total)

    def _say(self, total: int) -> None:
        is_known = self._work > 0 and len(self._seconds) == total - self._done
        name = next(iter(self._running), "")
        share = self._finished / self._work if is_known else None
        self._on_count(Count(self._done, total, "nodes", name=" ".join(name.split(".")[:3:2]), share=share))
