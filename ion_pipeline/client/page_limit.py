"""How many rows of one list a request asks for: the setting, or fewer once the tenant is found to give fewer."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PageLimit:
    """The maximum number of rows that a request asks one list for, shared by all requests to a tenant.

    Attributes:
        rows: Maximum number of rows to ask for.
        learned: The smaller maximum that the tenant was found to accept; None if it accepted every request.
    """

    rows: int
    learned: int | None = None
    _short: int = field(default=0)

    def __post_init__(self) -> None:
        self.rows = min(self.rows, self.learned or self.rows)

    def learn(self, accepted: int) -> None:
        """Record that the tenant accepts this many rows and refuses more; the limit never grows again in this run."""
        if accepted < self.rows:
            self.rows = self.learned = accepted

    def came(self, asked: int, rows: int, *, has_next: bool) -> None:
        """Record the size of a page, to detect a tenant that silently returns fewer rows than requested.

        One short page may have other reasons (rows that were hidden from the key after they were counted). Two
        consecutive pages of the same short length show a maximum.

        Args:
            asked: Rows asked for.
            rows: Rows received.
            has_next: Whether ION says that there are more.
        """
        if not has_next:
            return
        if 0 < rows < asked and rows == self._short:
            self.learn(rows)
        self._short = rows if rows < asked else 0
