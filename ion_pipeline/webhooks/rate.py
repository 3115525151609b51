"""A rate limit as a token bucket. Pure: the caller passes the time."""


class TokenBucket:
    """Allows a number of calls per second, and a burst of calls at once.

    Args:
        per_second: Tokens added per second.
        burst: Maximum number of tokens in the bucket.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._tokens, self._at = burst, 0.0

    def take(self, now: float) -> float:
        """Take a token.

        Args:
            now: Seconds of a monotonic clock.

        Returns:
            0 if there was a token, otherwise the seconds until there will be one.
        """
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0
