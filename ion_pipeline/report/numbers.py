"""Formats numbers and instants for the report. An unknown value is a dash."""

from datetime import datetime

from ion_pipeline.report.model import Ratio

DASH = "\N{EN DASH}"


def count(value: float | None) -> str:
    """A quantity with thousands separators and at most three decimals, without trailing zeros."""
    if value is None:
        return DASH
    written = f"{value:,.3f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def percent(ratio: Ratio) -> str:
    """A share as per cent with one decimal; only a share of exactly 1 is 100 %, and only one of exactly 0 is 0 %."""
    if ratio.value is None:
        return DASH
    shown = f"{ratio.value * 100:.1f}"
    if shown == "100.0" and ratio.value < 1:
        return "> 99.9 %"
    if shown == "0.0" and ratio.value > 0:
        return "< 0.1 %"
    return f"{shown} %"


def parts_per_million(ratio: Ratio) -> str:
    """A share in parts per million, without decimals."""
    return DASH if ratio.value is None else f"{ratio.value * 1_000_000:,.0f}"


def fraction(ratio: Ratio) -> str:
    """A share as "numerator of denominator"."""
    return f"{count(ratio.numerator)} of {count(ratio.denominator)}"


def measured(value: float | None) -> str:
    """A measurement to six significant digits."""
    return DASH if value is None else f"{value:.6g}"


def instant(value: datetime | None) -> str:
    """Date and minute in UTC."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M}"


def delay(seconds: float | None) -> str:
    """A duration in seconds if it is below two minutes, in minutes below two hours, otherwise as `duration`."""
    if seconds is None:
        return DASH
    if seconds < 120:  # noqa: PLR2004 -- said above
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else duration(seconds / 3600)  # noqa: PLR2004 -- said above


def duration(hours: float | None) -> str:
    """A duration in hours if it is below two days, otherwise in days."""
    if hours is None:
        return DASH
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} d"  # noqa: PLR2004 -- said above
