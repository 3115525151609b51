"""Fault injection: rules that say which requests fail, how and how often.

Rules are posted as JSON to `/_sandbox/faults`. They are evaluated in order: the delays of all `latency` rules that fire
add up, and the first other rule that fires decides. `responses` implements the faults.
"""

import random
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from ion_pipeline.errors import IonPipelineError

KINDS = frozenset(
    {
        "latency",  # answer after `seconds`
        "status",  # answer with `status`, and `retry_after` if given
        "timeout",  # 502 after `seconds` if a root field's `first` is above `timeout_above_first`, or not given
        "drop",  # break the connection without an answer
        "truncate",  # send the headers of the complete answer and half of its body, then break the connection
        "not_json",  # 200 with an HTML page
        "slow",  # the correct answer in small pieces, over `seconds`
        "partial_error",  # the correct answer, but one root field is null and has an error
        "date",  # the correct answer with a `Date` header that is wrong by `seconds`, which may be negative
        "expire_links",  # every link to a file issued so far is expired, including that of this request
        "ignore_range",  # the whole file, also where a range of it is requested
        "corrupt",  # the correct answer, but its first byte is another one
        "redirect",  # 307 to `location`
        "expire_tokens",  # every token issued so far is expired, including that of this request
    }
)
ENDPOINTS = frozenset({"graphql", "token", "files"})


class FaultRuleError(IonPipelineError):
    """A fault rule is malformed."""


@dataclass
class FaultRule:
    """One rule.

    Attributes:
        probability: Probability that the rule fires on a matching request.
        next: Number of matching requests on which the rule fires; None: all.
        skip: Number of matching requests to let pass first.
        endpoint: `graphql`, `token` or `files`.
        operation: Only requests with this operation name.
        entity: Only requests with this root field.
        retry_after: The header's value; `date:3` gives the HTTP date 3 seconds ahead.
    """

    kind: str
    probability: float = 1.0
    next: int | None = None
    skip: int = 0
    endpoint: str = "graphql"
    operation: str | None = None
    entity: str | None = None
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0.0
    timeout_above_first: int | None = None
    location: str = ""
    fired: int = 0


@dataclass(frozen=True)
class Shape:
    """The properties of a request that rules match.

    Attributes:
        first: The largest page size requested: None if a list is requested without `first`, 0 if there is no list.
    """

    endpoint: str
    operation: str | None = None
    entities: frozenset[str] = frozenset()
    first: int | None = 0


@dataclass(frozen=True)
class Verdict:
    """The faults of one request: a delay, and at most one rule."""

    seconds: float = 0.0
    rule: FaultRule | None = None


class Faults:
    """The active rules, and the seeded random numbers that they use."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[FaultRule] = []
        self._random = random.Random(seed)  # noqa: S311  # chance for tests, not for secrets

    def set(self, given: Any) -> None:
        """Replaces the rules.

        Args:
            given: A list of rules as JSON objects, or `{"seed": …, "rules": […]}`, which also seeds the random numbers.

        Raises:
            FaultRuleError: A rule is unknown or malformed; the active rules are unchanged.
        """
        seed = given.get("seed") if isinstance(given, dict) else None
        rules = given.get("rules") if isinstance(given, dict) else given
        if not isinstance(rules, list):
            raise FaultRuleError("Faults must be a list of rules.")
        self.rules = [_rule(one) for one in rules]
        if seed is not None:
            self._random.seed(seed)

    def clear(self) -> None:
        """Removes all rules."""
        self.rules = []

    def as_list(self) -> list[dict[str, Any]]:
        """The rules with their remaining counts, and how often each has fired."""
        return [asdict(rule) for rule in self.rules]

    def judge(self, shape: Shape) -> Verdict:
        """Decides which rules fire on a request, and updates their counts."""
        seconds = 0.0
        for rule in self.rules:
            if not _matches(rule, shape) or not self._fires(rule):
                continue
            if rule.kind != "latency":
                return Verdict(seconds, rule)
            seconds += rule.seconds
        return Verdict(seconds)

    def _fires(self, rule: FaultRule) -> bool:
        if rule.next == 0:
            return False
        if rule.skip:
            rule.skip -= 1
            return False
        if self._random.random() >= rule.probability:
            return False
        if rule.next is not None:
            rule.next -= 1
        rule.fired += 1
        return True


def retry_after(rule: FaultRule, now: datetime | None = None) -> str | None:
    """The Retry-After header's value."""
    if rule.retry_after is None or not rule.retry_after.startswith("date:"):
        return rule.retry_after
    moment = (now or datetime.now(UTC)) + timedelta(seconds=float(rule.retry_after.removeprefix("date:")))
    return format_datetime(moment, usegmt=True)


def _matches(rule: FaultRule, shape: Shape) -> bool:
    if rule.endpoint != shape.endpoint:
        return False
    if rule.kind == "timeout" and not _is_too_much(rule, shape):
        return False
    return rule.operation in (None, shape.operation) and (rule.entity is None or rule.entity in shape.entities)


def _is_too_much(rule: FaultRule, shape: Shape) -> bool:
    return shape.first is None or shape.first > (rule.timeout_above_first or 0)


def _rule(given: Any) -> FaultRule:
    if not isinstance(given, dict):
        raise FaultRuleError("A fault rule must be an object.")
    unknown = given.keys() - {one.name for one in fields(FaultRule)}
    if unknown:
        raise FaultRuleError(f"A fault rule has unknown fields: {', '.join(sorted(unknown))}.")
    if given.get("kind") not in KINDS:
        raise FaultRuleError(f"There is no fault {given.get('kind')!r}.", remedy=f"Use one of {sorted(KINDS)}.")
    rule = FaultRule(**given | ({} if given.get("retry_after") is None else {"retry_after": str(given["retry_after"])}))
    if rule.endpoint not in ENDPOINTS:
        raise FaultRuleError(f"There is no endpoint {rule.endpoint!r}.", remedy=f"Use one of {sorted(ENDPOINTS)}.")
    return rule
