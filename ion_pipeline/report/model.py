"""The values that the report shows. `data` reads them, `sections` draws them."""

from dataclasses import dataclass
from datetime import date, datetime

from ion_pipeline.report.where_used import WhereUsed


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share, kept as its numerator and denominator so that the report shows both."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The share; None if the denominator is zero."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Load:
    """The latest load."""

    load_id: str
    tenant: str
    strategy: str
    read_at: datetime
    loaded_at: datetime | None
    rows_read: int | None


@dataclass(frozen=True, slots=True)
class Delays:
    """How long the changes of an earlier publish took from ION to readers: seconds for half, 99 of 100 and all."""

    published_at: datetime
    delayed_change_count: int
    delay_median_seconds: float
    delay_p99_seconds: float
    delay_max_seconds: float


@dataclass(frozen=True, slots=True)
class EntityFreshness:
    """One entity of ION. `lag_hours`: hours from its newest change to the latest load.

    Its delays are seconds from changes of the last week to their publish.
    """

    entity: str
    row_count: int
    last_read_at: datetime | None
    watermark_at: datetime | None
    lag_hours: float | None
    delay_median_seconds: float | None
    delay_p99_seconds: float | None


@dataclass(frozen=True, slots=True)
class YieldPeriod:
    """First pass yield over all procedure steps that were first attempted in a week or month."""

    start_on: date
    first_pass: Ratio


@dataclass(frozen=True, slots=True)
class ProductYield:
    """First pass yield of a product, or of one of its steps, in the newest month and in the month before.

    Attributes:
        product: The part number.
        step: The procedure and its step; None for the product as a whole.
        first_pass: Of the newest month.
        before: Of the month before; nothing was attempted if its denominator is 0.
        reasons: Quantities that did not pass first, by reason; those of 0 are left out.
    """

    product: str
    step: str | None
    first_pass: Ratio
    before: Ratio
    reasons: tuple[tuple[str, float], ...]

    @property
    def change(self) -> float | None:
        """Change of the yield in points; None if one of the two is not known."""
        now, before = self.first_pass.value, self.before.value
        return None if now is None or before is None else 100 * (now - before)


@dataclass(frozen=True, slots=True)
class DefectClass:
    """One class of one dimension of the Pareto chart."""

    name: str
    defects: float
    cumulative: Ratio

    @property
    def share(self) -> Ratio:
        """Its share of all defects of the dimension."""
        return Ratio(self.defects, self.cumulative.denominator)


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """One point. Only p and u charts have a `sample`, only the others have a `serial_number`."""

    number: int
    measured_on: date | None
    serial_number: str | None
    sample: Ratio | None
    value: float
    centre: float | None
    lower: float | None
    upper: float | None
    sigmas: float | None
    is_baseline: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlChart:
    """One chart with its latest points. `step`: the step where it is measured, if the title does not name it."""

    key: str
    chart_type: str
    title: str
    step: str | None
    unit: str | None
    baseline_count: int
    point_count: int
    broken_count: int
    points: tuple[ControlPoint, ...]


@dataclass(frozen=True, slots=True)
class ControlCharts:
    """The charts shown, and the totals over all charts."""

    chart_count: int
    broken_chart_count: int
    point_count: int
    charts: tuple[ControlChart, ...]


@dataclass(frozen=True, slots=True)
class OpenDisposition:
    """Open issues of one disposition, in four age classes."""

    disposition: str
    by_age: tuple[int, int, int, int]

    @property
    def issues(self) -> int:
        """Open issues of the disposition, of any age."""
        return sum(self.by_age)


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """One open issue."""

    issue_id: int
    title: str
    age_days: int
    disposition: str
    parts: tuple[str, ...]
    assigned_to: str | None


@dataclass(frozen=True, slots=True)
class OpenIssues:
    """Open issues: all of them by disposition, and the oldest ones individually."""

    by_disposition: tuple[OpenDisposition, ...]
    oldest: tuple[OpenIssue, ...]

    @property
    def by_age(self) -> tuple[int, ...]:
        """Issues of all dispositions aged 0 to 7, 8 to 30, 31 to 90, and more than 90 days."""
        return tuple(sum(row.by_age[place] for row in self.by_disposition) for place in range(4))


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier over the months of the report."""

    name: str
    on_time: Ratio
    late_and_open: int
    mean_late_days: float | None
    rejected: Ratio


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Suppliers with lines due or goods received, and the first and last month considered."""

    first_month: date | None
    last_month: date | None
    rows: tuple[Supplier, ...]


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One line of an as-built tree."""

    depth: int
    part_inventory_id: int | None
    part_number: str | None
    part_revision: str | None
    description: str | None
    serial_number: str | None
    lot_number: str | None
    designator: str | None
    quantity_required: float | None
    quantity_installed: float | None
    is_open: bool
    is_made_on_assembly: bool
    is_substitute: bool

    @property
    def identity(self) -> str | None:
        """The serial or lot number, which distinguishes the unit from others of its part."""
        return (
            f"S/N {self.serial_number}" if self.serial_number else f"lot {self.lot_number}" if self.lot_number else None
        )

    @property
    def part(self) -> str:
        """Part number and revision."""
        return " ".join(name for name in (self.part_number or "unknown part", self.part_revision) if name)


@dataclass(frozen=True, slots=True)
class Trees:
    """As-built trees, each as the lines of one unit in display order.

    Attributes:
        trees: Trees of the units requested by name, then of the newest top-level units.
        named: How many were requested by name.
        top_level_count: Top-level units in the published file that have something installed.
    """

    trees: tuple[tuple[TreeLine, ...], ...]
    named: int
    top_level_count: int


@dataclass(frozen=True, slots=True)
class Report:
    """All values of the report."""

    generated_at: datetime
    published_at: datetime
    load: Load | None
    delays: Delays | None
    freshness: tuple[EntityFreshness, ...]
    yield_by_week: tuple[YieldPeriod, ...]
    yield_by_month: tuple[YieldPeriod, ...]
    yield_by_product: tuple[ProductYield, ...]
    products_left_out: int
    pareto: dict[str, tuple[DefectClass, ...]]
    control: ControlCharts
    open_issues: OpenIssues
    suppliers: Suppliers
    trees: Trees
    where_used: WhereUsed
