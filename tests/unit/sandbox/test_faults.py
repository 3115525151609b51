"""Which requests a rule matches, how often it fires, and the form of rules."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ion_pipeline.sandbox.faults import FaultRuleError, Faults, Shape, retry_after

PARTS = Shape("graphql", "Read", frozenset({"parts"}), first=100)


def fired(faults: Faults, shape: Shape = PARTS, times: int = 1) -> list[str | None]:
    verdicts = [faults.judge(shape) for _ in range(times)]
    return [verdict.rule.kind if verdict.rule else None for verdict in verdicts]


def with_rules(*rules: dict[str, Any], seed: int = 0) -> Faults:
    faults = Faults(seed)
    faults.set(list(rules))
    return faults


def test_a_rule_hits_the_next_requests_and_then_no_more() -> None:
    faults = with_rules({"kind": "status", "status": 429, "next": 2, "skip": 1})
    assert fired(faults, times=5) == [None, "status", "status", None, None]
    assert faults.as_list()[0] | {"fired": 2, "next": 0, "skip": 0} == faults.as_list()[0]


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({"entity": "parts"}, True),
        ({"entity": "runs"}, False),
        ({"operation": "Read"}, True),
        ({"operation": "Write"}, False),
        ({"operation": "Read", "entity": "runs"}, False),
        ({"endpoint": "token"}, False),
    ],
)
def test_what_a_rule_matches(rule: dict[str, Any], hit: bool) -> None:
    assert fired(with_rules({"kind": "drop"} | rule)) == (["drop"] if hit else [None])


@pytest.mark.parametrize(("first", "hit"), [(100, True), (50, False), (51, True), (None, True), (0, False)])
def test_a_time_out_depends_on_the_page_size(first: int | None, hit: bool) -> None:
    shape = Shape("graphql", None, frozenset({"parts"}), first)
    assert fired(with_rules({"kind": "timeout", "timeout_above_first": 50}), shape) == (["timeout"] if hit else [None])


def test_probability_is_seeded_and_about_right() -> None:
    rule = {"kind": "drop", "probability": 0.25}
    hits = fired(with_rules(rule, seed=5), times=2000)
    assert hits == fired(with_rules(rule, seed=5), times=2000)
    assert hits != fired(with_rules(rule, seed=6), times=2000)
    assert 400 < sum(hit is not None for hit in hits) < 600
    faults = Faults()
    faults.set({"seed": 5, "rules": [rule]})
    assert fired(faults, times=2000) == hits


def test_delays_add_up_and_the_first_other_rule_decides() -> None:
    faults = with_rules(
        {"kind": "latency", "seconds": 0.5}, {"kind": "latency", "seconds": 0.25}, {"kind": "drop"}, {"kind": "slow"}
    )
    verdict = faults.judge(PARTS)
    assert verdict.seconds == 0.75
    assert verdict.rule is faults.rules[2]
    assert [rule.fired for rule in faults.rules] == [1, 1, 1, 0]


def test_both_forms_of_retry_after() -> None:
    plain, dated = with_rules({"kind": "status", "retry_after": 3}, {"kind": "status", "retry_after": "date:90"}).rules
    assert retry_after(plain) == "3"
    assert retry_after(dated, datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)) == "Sun, 01 Mar 2026 08:01:30 GMT"
    assert retry_after(with_rules({"kind": "status"}).rules[0]) is None


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "drop"},
        [["drop"]],
        [{"kind": "explode"}],
        [{"kind": "drop", "often": 1}],
        [{"kind": "drop", "endpoint": "x"}],
    ],
)
def test_invalid_rules_are_refused_and_change_nothing(given: Any) -> None:
    faults = with_rules({"kind": "latency", "seconds": 1})
    with pytest.raises(FaultRuleError):
        faults.set(given)
    assert [rule.kind for rule in faults.rules] == ["latency"]


def test_cleared_rules_hit_nothing() -> None:
    faults = with_rules({"kind": "drop"})
    faults.clear()
    assert fired(faults) == [None]
    assert faults.as_list() == []
