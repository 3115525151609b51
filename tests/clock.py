"""A clock that tests move."""


class Clock:
    """Shows the same instant, in seconds, until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now
