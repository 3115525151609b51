"""The retry policy that stamina's loop uses. Waits are random over the whole interval ("full jitter")."""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import stamina

from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.errors import IonApiError, PartialDataError, RequestTimeoutError, TransportError

# A host that has never answered is more likely mistyped than briefly unavailable, so give up soon.
_ATTEMPTS_IF_UNREACHED = 3


@dataclass(slots=True)
class Backoff:
    """Decides after each failure of a request whether and when the request is sent again.

    Attributes:
        config: Limits of pauses.
        retry_timeouts: False if the caller responds to a time-out by asking for less.
        was_reached: Returns whether the tenant has ever answered.
        retry_partial: False if data together with errors is the answer about one row, and not about a list.
        failures: Failures so far.
    """

    config: ClientConfig
    retry_timeouts: bool
    was_reached: Callable[[], bool]
    retry_partial: bool = True
    failures: int = field(default=0)

    def __call__(self, error: Exception) -> bool | float:
        """Return the seconds to wait, or False to give up: stamina's protocol for a back-off hook."""
        self.failures += 1
        if not isinstance(error, IonApiError) or not error.retryable:
            return False
        if isinstance(error, RequestTimeoutError) and not self.retry_timeouts:
            return False
        if isinstance(error, PartialDataError) and not self.retry_partial:
            return False
        if isinstance(error, TransportError) and self.failures >= _ATTEMPTS_IF_UNREACHED and not self.was_reached():
            return False
        asked_for: float = getattr(error, "retry_after", None) or 0.0
        if asked_for > self.config.retry_seconds:
            return False
        return asked_for + full_jitter(self.config, self.failures)


def full_jitter(config: ClientConfig, failures: int) -> float:
    """A random pause in seconds, from zero to an upper end that doubles with each failure."""
    ceiling = min(config.backoff_max, config.backoff_initial * 2.0 ** (failures - 1))
    return random.uniform(0.0, ceiling)  # noqa: S311 - spreads load, guards nothing


def attempts(backoff: Backoff) -> AsyncIterator[stamina.Attempt]:
    """The attempts of one request, each to be used with `with`; the last failure is raised."""
    return aiter(
        stamina.retry_context(
            on=backoff,
            attempts=backoff.config.max_attempts,
            timeout=backoff.config.retry_seconds,
        )
    )
