"""Counts of requests and answers, to measure how much a client asks of the server."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stats:
    """Counts since the start or the last reset.

    Attributes:
        requests: GraphQL HTTP requests, including refused and failed ones; a batch is one request.
        token_requests: Requests to the token endpoint.
        rows: Rows of root fields answered; nested rows are not counted.
        sent: Bytes of GraphQL response bodies as sent, after compression.
        files: Requests for each file, by its id.
        limited: Operations that the limits refused, or whose pages they cut short.
    """

    requests: int = 0
    token_requests: int = 0
    rows: int = 0
    sent: int = 0
    limited: int = 0
    by_entity: dict[str, Counter[str]] = field(default_factory=dict)
    by_status: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)

    def answered(self, rows: dict[str, int]) -> None:
        """Counts one operation's root fields."""
        for entity, count in rows.items():
            self.by_entity.setdefault(entity, Counter()).update(requests=1, rows=count)
            self.rows += count

    def responded(self, status: int, size: int) -> None:
        """Counts one GraphQL HTTP response; status 0 is an intentionally broken connection."""
        self.by_status[str(status)] += 1
        self.sent += size

    def as_dict(self) -> dict[str, Any]:
        """The document of `GET /_sandbox/stats`."""
        return {
            "requests": self.requests,
            "token_requests": self.token_requests,
            "rows": self.rows,
            "bytes": self.sent,
            "limited": self.limited,
            "by_entity": {entity: dict(counts) for entity, counts in sorted(self.by_entity.items())},
            "by_status": dict(sorted(self.by_status.items())),
            "files": dict(sorted(self.files.items())),
        }
