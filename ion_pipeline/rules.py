"""Rules for single values that people set: what each may hold, in words they can act on. Nothing is opened or asked."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AnyHttpUrl, SecretStr

_SECRET_OPTION = re.compile(
    r"pass(word|wd|phrase)$|^(pass|pwd|sig)$|secret|token|credential|(account|access|api|private)_?key$", re.IGNORECASE
)
# What dbt's project and the sandbox's own process read: no settings, and set on purpose.
_OTHERS = frozenset(
    {
        "ION_DBT_THREADS",
        "ION_SANDBOX_CLIENT_SECRET",
        "ION_SOURCE_HISTORY_SCHEMA",
        "ION_SOURCE_SCHEMA",
        "ION_WAREHOUSE_PATH",
    }
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Of the five fields of a cron expression: name, least and greatest number, words for the numbers from the least on.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PRESETS = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def holds_password(uri: str) -> bool:
    """Whether a URI has a password in it, before its host or among its options; options are never more than names."""
    parts = urlsplit(uri)
    options = parse_qsl(parts.query, keep_blank_values=True)
    return bool(parts.password) or any(_SECRET_OPTION.search(name) for name, _ in options)


def checked_cron(expression: str) -> str:
    """A cron expression of five fields, or one of cron's words such as `@daily`; empty for never.

    Raises:
        ValueError: It is none.
    """
    text = expression.strip()
    if not text or text.lower() in _PRESETS:
        return text
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            "is no cron expression: it takes five fields (minute, hour, day of the month, month, day of the week), "
            "such as `0 * * * *` for every hour"
        )
    for part, (name, least, greatest, words) in zip(parts, _FIELDS, strict=True):
        several = part.split(",")
        if (len(several) > 1 and "#" in part) or not all(_is_cron(one, least, greatest, words) for one in several):
            raise ValueError(f"is no cron expression: the {name} is wrong, it goes from {least} to {greatest}")
    _, _, day, month, weekday = parts
    months = {_number(month, 1, _MONTHS)} if re.fullmatch(r"\w+", month) else set()
    last = max((_DAYS_OF.get(one or 0, 31) for one in months), default=31)
    # With a day of the week, cron takes either; Dagster takes no such day in February even then.
    if day.isdecimal() and int(day) > last and (weekday in {"*", "?"} or months == {2}):
        raise ValueError("is no cron expression: that month never has such a day")
    return text


def _is_cron(part: str, least: int, greatest: int, words: tuple[str, ...]) -> bool:
    is_weekday = words is _DAYS
    if (is_weekday or greatest == _FIELDS[2][2]) and part == ("?" if is_weekday or part == "?" else "l"):
        return True
    if is_weekday and (of_month := re.fullmatch(r"(\w+)#[1-5]|l([0-7])", part)):
        part = of_month[1] or of_month[2]
    match = _PART.fullmatch(part)
    if not match or (match["step"] and int(match["step"]) < 1):
        return False
    if match["first"] == "*":
        return match["last"] is None
    ends = [_number(end, least, words) for end in (match["first"], match["last"]) if end]
    return all(end is not None and least <= end <= greatest for end in ends)


def _number(text: str, least: int, words: tuple[str, ...]) -> int | None:
    if text.isdecimal() and text.isascii():
        return int(text)
    return least + words.index(text) if text in words else None


def checked_time_zone(name: str) -> str:
    """The name of a time zone of the IANA database.

    Raises:
        ValueError: There is no such zone; the message names the one that may be meant.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zones = sorted(available_timezones())
        meant = [zone for zone in zones if zone.lower().rpartition("/")[2] == name.strip().lower()] or nearest(
            name, zones
        )
        raise ValueError(f"is no time zone: write {meant[0] if meant else 'one such as Europe/Berlin'}") from None
    return name


def checked_header(value: str) -> str:
    """What goes into a header as it is, without blanks or line breaks around it.

    Raises:
        ValueError: It has a character in it that no header may hold.
    """
    value = value.strip()
    if not all("!" <= character <= "~" for character in value):
        raise ValueError("has a line break, a blank or another character in it that no token has: set the token alone")
    return value


def checked_secret(value: str) -> str:
    """A secret, or what goes with it, without blanks or line breaks around it.

    Raises:
        ValueError: It has a line break or another control character in it.
    """
    value = value.strip()
    if not value.isprintable():
        raise ValueError("has a line break or another control character in it: set the value alone")
    return value


def checked_data_dir(path: Path) -> Path:
    """A folder that DuckDB can write a database to.

    Raises:
        ValueError: DuckDB would look elsewhere for the database or its log.
    """
    # `a?b/x.duckdb` has its log at `a.wal?b/x.duckdb`, and a backslash separates folders.
    if found := [character for character in "?\\" if character in str(path.absolute())]:
        raise ValueError(f"{path.absolute()} has a {found[0]} in it, which DuckDB cannot have in a path: rename it")
    return path


def nearest(name: str, known: Collection[str]) -> list[str]:
    """The known name that is most like one, if any is."""
    return difflib.get_close_matches(name, known, n=1, cutoff=0.75)


def unknown(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A sentence for each `ION_*` name that is not known, with the one that may be meant."""
    ours = {name.upper() for name in names if name.upper().startswith("ION_")}
    for name in sorted(ours - set(known) - _OTHERS):
        if name.startswith("ION_TEST_"):
            continue
        meant = nearest(name, known)
        yield f"{name} is no setting" + (f": is {meant[0]} meant?" if meant else ", and has no effect.")


def base_of(url: AnyHttpUrl) -> str:
    """The address that paths are put behind; one copied from a browser ends in `/graphql`."""
    return str(url).rstrip("/").removesuffix("/graphql").rstrip("/")


def comma_separated(value: Any) -> Any:
    """The parts of a text, without blanks around them; what is no text as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _base_url(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("is more than an address: leave out what is before the @, and what begins with ? or #")
    return url


def _target(uri: str) -> str:
    if holds_password(uri):
        raise ValueError("holds a password: give it in the environment, as the target's client takes it")
    if not re.match(r"[a-z][a-z0-9+.-]*://\S", uri, re.IGNORECASE):
        raise ValueError("is no URI: write s3://bucket/prefix or postgresql://user@host/database")
    return uri


def _secret_that(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


# The kinds of settings that have such a rule.
BaseUrl = Annotated[AnyHttpUrl, AfterValidator(_base_url)]
Cron = Annotated[str, AfterValidator(checked_cron)]
DataDir = Annotated[Path, AfterValidator(checked_data_dir)]
Name = Annotated[str, AfterValidator(checked_secret)]
Secret = Annotated[SecretStr, _secret_that(checked_secret)]
Target = Annotated[str, AfterValidator(_target)]
TimeZone = Annotated[str, AfterValidator(checked_time_zone)]
Token = Annotated[SecretStr, _secret_that(checked_header)]
