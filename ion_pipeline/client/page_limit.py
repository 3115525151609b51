"""How many rows of one list a tenant gives at once: the setting at first, less once the tenant shows that it is."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PageLimit:
    """The most rows that any request asks one list for, shared by all that is asked of a tenant.

    Attributes:
        rows: The most rows to ask for.
        learned: What the tenant was found to accept; None where it accepts all that was asked for.
    """

    rows: int
    learned: int | None = None
    _short: int = field(default=0)

    def __post_init__(self) -> None:
        self.rows = min(self.rows, self.learned or self.rows)

    def learn(self, accepted: int) -> None:
        """The tenant accepts so many rows and refuses more. Kept for the rest of the run: it is never grown again."""
        if accepted < self.rows:
            self.rows = self.learned = accepted

    def came(self, asked: int, rows: int, *, has_next: bool) -> None:
        """See whether fewer rows come than were asked for, although there are more.

        One short page may have other reasons (rows hidden from the key after they were counted out); the same number
        twice in a row is a ceiling.

        Args:
            asked: Rows asked for.
            rows: Rows that came.
            has_next: ION says there are more.
        """
        if not has_next:
            return
        if 0 < rows < asked and rows == self._short:
            self.learn(rows)
        self._short = rows if rows < asked else 0
