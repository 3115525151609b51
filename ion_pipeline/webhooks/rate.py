"""How often a door opens: a bucket of tokens. Pure; the caller has the clock."""


class TokenBucket:
    """Lets through so many a second, and a burst of as many at once.

    Args:
        per_second: Tokens that come in a second.
        burst: Tokens it holds at most.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._tokens, self._at = burst, 0.0

    def take(self, now: float) -> float:
        """Take a token.

        Args:
            now: Seconds of a clock that only goes forward.

        Returns:
            0 if there was one, else the seconds until there will be.
        """
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0
