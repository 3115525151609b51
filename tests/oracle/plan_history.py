"""mBOM versions over several loads: their states, their times in force and their changes, computed load by load."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.oracle.plans import Change, InForce, Plan, PlanLine, families, own_changes, paired, plans, tree
from tests.oracle.world import World


@dataclass
class State:
    """One state of a version; an instant that does not exist is None."""

    plan: Plan
    number: int
    valid_from: Any
    valid_to: Any = None
    in_force_from: Any = None
    in_force_to: Any = None
    stood_until: Any = None

    @property
    def key(self) -> tuple[int, int]:
        return self.plan.mbom, self.number


class PlanHistory:
    """The plans of a tenant over its loads: (instant, world), in order of time."""

    def __init__(self, loads: Sequence[tuple[Any, World]]) -> None:
        self.world = loads[-1][1]
        self.family = families(self.world)
        self._loads = [(instant, plans(world)) for instant, world in loads]
        self.states: dict[int, list[State]] = {}
        for instant, seen in self._loads:
            for mbom, plan in seen.items():
                self._see(self.states.setdefault(mbom, []), plan, instant)
            for mbom in self.states.keys() - seen.keys():
                last = self.states[mbom][-1]
                last.valid_to = last.valid_to or instant
        for part in {states[0].plan.part for states in self.states.values()}:
            self._put_in_force([states for states in self.states.values() if states[0].plan.part == part])

    @staticmethod
    def _see(states: list[State], plan: Plan, instant: Any) -> None:
        def content(one: Plan) -> Any:
            return one.status, sorted((line.item, *line.content, sorted(line.written)) for line in one.lines)

        if states and content(states[-1].plan) == content(plan):
            return
        if states:
            states[-1].valid_to = instant
        states.append(State(plan, len(states) + 1, instant))

    def _put_in_force(self, versions: list[list[State]]) -> None:
        """Versions of a part follow one another; the released one, if any, is the last."""
        begun = [(states, begins) for states in versions if (begins := _begins(states)) is not None]
        begun.sort(key=lambda entry: (_is_released(entry[0]), entry[0][0].plan.version, entry[0][0].plan.mbom))
        for place, (states, begins) in enumerate(begun):
            if place + 1 < len(begun):
                ends = begun[place + 1][1]
            else:
                ends = None if _is_released(states) else _withdrawn(states)
            for state in states:
                begin = begins if state.number == 1 else max(begins, state.valid_from)
                state.stood_until = min((i for i in (ends, state.valid_to) if i is not None), default=None)
                if state.stood_until is None or begin < state.stood_until:
                    state.in_force_from, state.in_force_to = begin, state.stood_until
        for states in versions:
            if all(states is not other for other, _ in begun):
                for state in states:
                    state.stood_until = state.valid_to

    @cached_property
    def _periods(self) -> dict[int, list[State]]:
        found: dict[int, list[State]] = {}
        for states in self.states.values():
            for state in states:
                if state.in_force_from is not None:
                    found.setdefault(state.plan.part, []).append(state)
        return found

    def before(self, instant: Any) -> InForce:
        """The plans in force just before an instant; None means after all instants."""

        def lines(part: int) -> Sequence[PlanLine]:
            for state in self._periods.get(part, ()):
                begins, ends = state.in_force_from, state.in_force_to
                if ends is None if instant is None else (begins < instant and (ends is None or instant <= ends)):
                    return state.plan.lines
            return ()

        return lines

    def at(self, instant: Any) -> InForce:
        """The plans in force from an instant on."""

        def lines(part: int) -> Sequence[PlanLine]:
            for state in self._periods.get(part, ()):
                if state.in_force_from <= instant and (state.in_force_to is None or instant < state.in_force_to):
                    return state.plan.lines
            return ()

        return lines

    def tree(self, state: State) -> tuple[Any, ...]:
        """All levels of a state, as of its end."""
        return tree(state.plan.lines, self.before(state.stood_until))

    def compared_with(self, state: State) -> tuple[State, Any, bool] | None:
        """The state compared with, the instant of the changes, and whether they were made in place."""
        if state.number > 1:
            return self.states[state.plan.mbom][state.number - 2], state.valid_from, True
        earlier = [
            states
            for states in self.states.values()
            if states[0].plan.part == state.plan.part
            and (states[0].plan.version, states[0].plan.mbom) < (state.plan.version, state.plan.mbom)
        ]
        if not earlier:
            return None
        previous = max(earlier, key=lambda states: (states[0].plan.version, states[0].plan.mbom))
        then = [one for one in previous if one.number == 1 or one.valid_from <= state.valid_from][-1]
        return then, state.in_force_from if state.in_force_from is not None else state.plan.created, False

    def changes(self) -> Iterator[tuple[tuple[int, int], Any, Change]]:
        """All changes, each with its state and instant."""
        instants = {
            instant
            for states in self._periods.values()
            for state in states
            for instant in (state.in_force_from, state.in_force_to)
            if instant is not None
        }
        for states in self.states.values():
            for state in states:
                against = self.compared_with(state)
                if against:
                    yield from self._against(state, *against[:2])
                for instant in instants:
                    is_current = state.stood_until is None or instant < state.stood_until
                    if state.valid_from < instant and is_current and state.plan.status != "ARCHIVED":
                        for line in state.plan.lines:
                            if self._changed_below(line.part, instant):
                                yield state.key, instant, ("indirect", line.item, line.item, None, None)

    def _against(self, state: State, other: State, instant: Any) -> Iterator[tuple[tuple[int, int], Any, Change]]:
        for one, line in paired(other.plan.lines, state.plan.lines, self.family):
            own = list(own_changes(one, line, self.world))
            yield from ((state.key, instant, change) for change in own)
            if one and line and not own and self._changed_below(line.part, instant):
                yield state.key, instant, ("indirect", one.item, line.item, None, None)

    def _changed_below(self, part: int, instant: Any) -> bool:
        before, after = self.before(instant), self.at(instant)
        return tree(before(part), before, (part,)) != tree(after(part), after, (part,))


def _begins(states: list[State]) -> Any:
    if states[0].plan.status in ("RELEASED", "ARCHIVED"):
        return states[0].plan.created
    return next((state.valid_from for state in states if state.plan.status == "RELEASED"), None)


def _is_released(states: list[State]) -> bool:
    return states[-1].valid_to is None and states[-1].plan.status == "RELEASED"


def _withdrawn(states: list[State]) -> Any:
    for state in states[1:]:
        if state.plan.status == "ARCHIVED":
            return state.valid_from
    return states[0].plan.updated if states[0].plan.status == "ARCHIVED" else states[-1].valid_to
