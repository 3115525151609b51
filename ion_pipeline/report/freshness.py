"""The section that says how old the data is, and how long changes take to get here."""

from ion_pipeline.counting import plural
from ion_pipeline.report import numbers
from ion_pipeline.report.layout import collapsible, no_data, note, table
from ion_pipeline.report.markup import Child, tag
from ion_pipeline.report.model import Delays, Report


def freshness(report: Report) -> Child:
    """The latest load, the delay of the publish before, and the age of each entity."""
    load = report.load
    if load is None:
        return no_data("No data: nothing was loaded.")
    never = [each.entity for each in report.freshness if each.last_read_at is None]
    read = [each for each in report.freshness if each.last_read_at is not None]
    # Not published if rows under export control are left out.
    rows = "" if load.rows_read is None else f", {plural(load.rows_read, 'row')}"
    return [
        tag(
            "p",
            f"Read from {load.tenant} at {numbers.instant(load.read_at)} ({load.strategy}{rows}), "
            f"published at {numbers.instant(report.published_at)}, "
            f"page written at {numbers.instant(report.generated_at)}; all times UTC. Load {load.load_id}.",
        ),
        _delays(report.delays),
        collapsible(
            f"{plural(len(read), 'entity', 'entities')} read, newest change first",
            table(
                "Entities: rows and newest change",
                ("Entity", "Rows", "Newest change", "Lag", "Delay", "99 of 100", "Last load with changes"),
                [
                    (
                        each.entity,
                        numbers.count(each.row_count),
                        numbers.instant(each.watermark_at),
                        numbers.duration(each.lag_hours),
                        numbers.delay(each.delay_median_seconds),
                        numbers.delay(each.delay_p99_seconds),
                        numbers.instant(each.last_read_at),
                    )
                    for each in read
                ],
                numeric=range(1, 7),
            ),
        ),
        tag("p", f"Never read, for example without permission: {', '.join(never)}.", class_="quiet") if never else None,
        note(
            "Lag: from the newest change in ION to the latest load. A load contains only what had changed. Delay: from "
            "a change to its publish, for half and for 99 of 100 changes of the last seven days."
        ),
    ]


def _delays(delays: Delays | None) -> Child:
    if delays is None:
        return None
    half, most, longest = map(
        numbers.delay, (delays.delay_median_seconds, delays.delay_p99_seconds, delays.delay_max_seconds)
    )
    return tag(
        "p",
        f"Of {plural(delays.delayed_change_count, 'change')} published at "
        f"{numbers.instant(delays.published_at)}, half took at most {half} from ION to here, 99 of 100 at most {most}, "
        f"the longest {longest}. This publish is measured by the next one.",
    )
