"""The state of a factory between two days, which all other modules read and change."""

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
    """An mBOM item with its designators and substitutes."""

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
    """The designs: revisions by part number (oldest first), released mBOMs by part id, procedures by key."""

    revisions: dict[str, list[Row]] = field(default_factory=dict)
    released: dict[int, Bom] = field(default_factory=dict)
    procedures: dict[str, "Procedure"] = field(default_factory=dict)

    def part(self, number: str) -> Row:
        """The latest revision of a part number."""
        return self.revisions[number][-1]


@dataclass(slots=True)
class FieldPlan:
    """A step's field, its limits (validation row, function name) and the distribution of its values."""

    row: Row
    limits: list[tuple[Row, str]]
    spec: FieldSpec


@dataclass(slots=True)
class StepPlan:
    """A procedure's step with its fields and, for a datagrid step, its columns and rows."""

    row: Row
    fields: list[FieldPlan]
    spec: StepSpec
    columns: list[Row] = field(default_factory=list)
    grid_rows: list[Row] = field(default_factory=list)


@dataclass
class Procedure:
    """A released procedure version, with its steps in order of execution, parents before children."""

    row: Row
    steps: list[StepPlan]


@dataclass
class Stock:
    """Stock on hand, and state from which ION computes fields.

    Attributes:
        on_hand: Part number → inventory rows, oldest first; `take` drops empty ones.
        pieces: Part number → pieces available in `on_hand`.
        on_order: Part number → pieces that are ordered or being made.
        wip: Inventory ids with an open run.
        lines: Purchase order id → number of its lines.
        open_lines: Purchase order id → number of its lines that are not fully received.
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
    """A factory at the end of a day; `simulation.step_day` advances it by a day.

    Attributes:
        day: The current working day, or the last one.
        products_per_day: End products started on a working day, on average.
        moved: By how much all days of the world are moved when it is finished.
    """

    store: Store
    rng: random.Random
    ref: Reference
    design: Engineering
    stock: Stock = field(default_factory=Stock)
    day: date = FIRST_DAY
    products_per_day: float = 0.0
    moved: timedelta = timedelta()
    agenda: "defaultdict[date, list[Task]]" = field(default_factory=lambda: defaultdict(list))
    tools: list[Row] = field(default_factory=list)
    owed: float = 0.0
    started: int = 0

    def moment(self, first_hour: int = 7, last_hour: int = 17) -> datetime:
        """A random instant of the working day."""
        seconds = self.rng.randrange((last_hour - first_hour) * 3600)
        micro = self.rng.randrange(1_000_000)
        return at(self.day, first_hour) + timedelta(seconds=seconds, microseconds=micro)

    def someone(self, kind: str) -> int:
        """A random user of a kind."""
        return self.rng.choice(self.ref.people[kind])


class Task:
    """Work that is due on a day."""

    def run(self, factory: Factory) -> None:
        """Does the work."""
        raise NotImplementedError
