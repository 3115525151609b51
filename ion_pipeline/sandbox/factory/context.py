"""The state of a factory between two days: everything the topic modules work on."""

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ion_pipeline.sandbox.factory.clock import FIRST_DAY, at
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.procedure_data import FieldSpec, StepSpec
from ion_pipeline.sandbox.factory.reference import Reference
from ion_pipeline.sandbox.factory.store import Row, Store


@dataclass(slots=True)
class BomLine:
    """An mBOM item with what hangs on it."""

    item: Row
    spec: Line
    part: Row
    designators: list[Row]
    substitutes: list[Row]


@dataclass(slots=True)
class Bom:
    """An mBOM version."""

    row: Row
    lines: list[BomLine]


@dataclass
class Engineering:
    """What is designed: revisions (oldest first), released mBOMs by part id, all mBOMs by id, procedures by key."""

    revisions: dict[str, list[Row]] = field(default_factory=dict)
    released: dict[int, Bom] = field(default_factory=dict)
    procedures: dict[str, "Procedure"] = field(default_factory=dict)

    def part(self, number: str) -> Row:
        """The latest revision."""
        return self.revisions[number][-1]


@dataclass(slots=True)
class FieldPlan:
    """A step's field, its limits (validation row, function name) and how its values scatter."""

    row: Row
    limits: list[tuple[Row, str]]
    spec: FieldSpec


@dataclass(slots=True)
class StepPlan:
    """A procedure's step with its fields and, on a datagrid step, its columns and rows."""

    row: Row
    fields: list[FieldPlan]
    spec: StepSpec
    columns: list[Row] = field(default_factory=list)
    grid_rows: list[Row] = field(default_factory=list)


@dataclass
class Procedure:
    """A released procedure version, steps in order of execution, parents before children."""

    row: Row
    steps: list[StepPlan]


@dataclass
class Stock:
    """Stock on hand and state that ION computes from elsewhere.

    Attributes:
        on_hand: Part number → inventory rows, oldest first; emptied ones are dropped when met.
        pieces: Part number → pieces available in `on_hand`.
        on_order: Part number → pieces ordered or being made.
        wip: Inventory ids with an open run.
        lines: Purchase order id → number of its lines.
        open_lines: Purchase order id → number of its lines not yet wholly received.
    """

    on_hand: defaultdict[str, deque[Row]] = field(default_factory=lambda: defaultdict(deque))
    pieces: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    on_order: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    wip: set[int] = field(default_factory=set)
    lines: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    open_lines: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    serials: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Factory:
    """A factory at the end of a day; `simulation.step_day` moves it to the end of the next.

    Attributes:
        day: The day being worked, or the last one worked.
        products_per_day: End products started on a working day, on average.
    """

    store: Store
    rng: random.Random
    ref: Reference
    design: Engineering
    stock: Stock = field(default_factory=Stock)
    day: date = FIRST_DAY
    products_per_day: float = 0.0
    agenda: "defaultdict[date, list[Task]]" = field(default_factory=lambda: defaultdict(list))
    tools: list[Row] = field(default_factory=list)
    owed: float = 0.0
    started: int = 0

    def moment(self, first_hour: int = 7, last_hour: int = 17) -> datetime:
        """An instant of the working day."""
        seconds = self.rng.randrange((last_hour - first_hour) * 3600)
        micro = self.rng.randrange(1_000_000)
        return at(self.day, first_hour) + timedelta(seconds=seconds, microseconds=micro)

    def someone(self, kind: str) -> int:
        """A user of a kind."""
        return self.rng.choice(self.ref.people[kind])


class Task:
    """Something that is due on a day."""

    def run(self, factory: Factory) -> None:
        """Does it."""
        raise NotImplementedError
