"""Published worked examples of control charts and capability, and functions that add them to a world.

NIST/SEMATECH e-Handbook of Statistical Methods (public domain), https://www.itl.nist.gov/div898/handbook/, chapter 6:
6.1.6 process capability (pmc/section1/pmc16.htm), 6.3.2.2 individuals charts (pmc/section3/pmc322.htm), 6.3.3.1 counts
(pmc331.htm), 6.3.3.2 proportions (pmc332.htm). D. C. Montgomery, Introduction to
Statistical Quality Control, uses the same proportions with printed limits in the chapter on control charts for
attributes. All numbers are the printed ones, to the printed number of places.
"""

from tests.oracle.measured import MeasuredWorld, at

# 6.1.6 gives no data, only USL 20, LSL 8, mean 16 and sigma 2. These 25 numbers have mean 16, and both sigmas are 2:
# their mean moving range is 2.256 = 2 * 1.128, and their standard deviation (n - 1) is 2.
CAPABILITY = (
    18.48, 16.0, 14.0, 18.48, 18.0, 17.36, 17.36, 13.424, 18.48, 15.6, 13.52, 14.64, 14.832, 18.0, 18.8, 16.4, 13.52,
    17.168, 18.576, 13.52, 14.0, 14.64, 17.36, 13.2, 14.64,
)  # fmt: skip
CAPABILITY_LIMITS = (("at least", 8.0), ("at most", 20.0))

# 6.3.2.2: flow rates of ten batches; mean 50.81, mean moving range 1.8778, limits 45.8159 and 55.8041.
FLOW_RATE = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)

# 6.3.3.1: defects on each of 25 wafers; centre 16, limits 4 and 28, so the wafer with 31 is out, that with 28 is not.
WAFER_DEFECTS = (
    16, 14, 28, 16, 12, 20, 10, 12, 10, 17, 19, 17, 14, 16, 15, 13, 14, 16, 11, 20, 11, 19, 16, 31, 13,
)  # fmt: skip

# 6.3.3.2: chips out of register, of 50 on each of 30 wafers; mean fraction 0.2313, limits 0.0524 and 0.4102.
CHIPS = 50
CHIPS_OUT = (
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
)  # fmt: skip


def proportions_by_day() -> list[tuple[int, int]]:
    """Return (chips out, chips) per day: two wafers a day for the first ten, then one, so 30 wafers in 25 days.

    The published average covers all 30 wafers, and a baseline has 25 points. The limits of a day with one wafer are the
    published ones.
    """
    pairs = [(CHIPS_OUT[place] + CHIPS_OUT[place + 1], 2 * CHIPS) for place in range(0, 10, 2)]
    return [*pairs, *((count, CHIPS) for count in CHIPS_OUT[10:])]


def add_published(builder: MeasuredWorld) -> None:
    """Add each example as a step of its own, named after its section of the handbook.

    Failures alternate between a step that ended FAILED and a failed result in a completed step.
    """
    builder.series("6.1.6", CAPABILITY, CAPABILITY_LIMITS)
    builder.series("6.3.2.2", FLOW_RATE)
    counts = builder.step("6.3.3.1")
    for day, count in enumerate(WAFER_DEFECTS):
        builder.run_step(counts, at(day), issues=count)
    chips = builder.step("6.3.3.2")
    field = builder.field(chips, "out of register", (("at most", 1.0),))
    for day, (out, size) in enumerate(proportions_by_day()):
        for chip in range(size):
            status = "FAILED" if chip < out and chip % 2 else "COMPLETE"
            run_step = builder.run_step(chips, at(day, chip + 1), status=status)
            failed = chip < out and not chip % 2
            builder.result(run_step, field, 2.0 if failed else 0.0, at(day, chip), result="FAIL" if failed else "PASS")
