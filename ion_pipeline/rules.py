"""Checks of single settings, with errors that say how to correct the value. No file is opened, no host is contacted."""

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
# Variables that the dbt project, the sandbox's process and the tests read: they are not settings.
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
# The five fields of a cron expression: name, smallest and largest number, and names for the numbers in order.
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
    """Whether a URI contains a password, before its host or in its query options; options are judged by their names."""
    parts = urlsplit(uri)
    options = parse_qsl(parts.query, keep_blank_values=True)
    return bool(parts.password) or any(_SECRET_OPTION.search(name) for name, _ in options)


def checked_cron(expression: str) -> str:
    """Check a cron expression: five fields, or a preset such as `@daily`; empty for never.

    Raises:
        ValueError: It is not a cron expression.
    """
    text = expression.strip()
    if not text or text.lower() in _PRESETS:
        return text
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            "is not a cron expression: it takes five fields (minute, hour, day of the month, month, day of the week), "
            "such as `0 * * * *` for every hour"
        )
    for part, (name, least, greatest, words) in zip(parts, _FIELDS, strict=True):
        several = part.split(",")
        if (len(several) > 1 and "#" in part) or not all(_is_cron(one, least, greatest, words) for one in several):
            raise ValueError(f"is not a cron expression: the {name} is wrong, it goes from {least} to {greatest}")
    _, _, day, month, weekday = parts
    months = {_number(month, 1, _MONTHS)} if re.fullmatch(r"\w+", month) else set()
    last = max((_DAYS_OF.get(one or 0, 31) for one in months), default=31)
    # With a day of the week, cron accepts either of the two; Dagster refuses such a day in February even then.
    if day.isdecimal() and int(day) > last and (weekday in {"*", "?"} or months == {2}):
        raise ValueError("is not a cron expression: that month never has such a day")
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
    """Check the name of a time zone of the IANA database.

    Raises:
        ValueError: There is no such zone; the message proposes a similar one.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zones = sorted(available_timezones())
        meant = [zone for zone in zones if zone.lower().rpartition("/")[2] == name.strip().lower()] or nearest(
            name, zones
        )
        raise ValueError(f"is not a time zone: write {meant[0] if meant else 'one such as Europe/Berlin'}") from None
    return name


def checked_header(value: str) -> str:
    """Check a value that is sent in a header; surrounding blanks and line breaks are removed.

    Raises:
        ValueError: It contains a character that a header must not contain.
    """
    value = value.strip()
    if not all("!" <= character <= "~" for character in value):
        raise ValueError("has a line break, a blank or another character that no token contains: set only the token")
    return value


def checked_secret(value: str) -> str:
    """Check a secret or an id; surrounding blanks and line breaks are removed.

    Raises:
        ValueError: It contains a line break or another control character.
    """
    value = value.strip()
    if not value.isprintable():
        raise ValueError("has a line break or another control character in it: set only the value")
    return value


def checked_data_dir(path: Path) -> Path:
    """Check that DuckDB can keep a database in a folder.

    Raises:
        ValueError: DuckDB would use another path for the database or its log.
    """
    # For `a?b/x.duckdb` DuckDB puts the log at `a.wal?b/x.duckdb`, and it treats a backslash as a separator.
    if found := [character for character in "?\\" if character in str(path.absolute())]:
        raise ValueError(
            f"{path.absolute()} contains {found[0]}, which DuckDB does not support in a path: rename the folder"
        )
    return path


def nearest(name: str, known: Collection[str]) -> list[str]:
    """The known name that is most similar, if any is similar enough."""
    return difflib.get_close_matches(name, known, n=1, cutoff=0.75)


def unknown(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A sentence for each unknown `ION_*` name, with the most similar known one."""
    ours = {name.upper() for name in names if name.upper().startswith("ION_")}
    for name in sorted(ours - set(known) - _OTHERS):
        if name.startswith("ION_TEST_"):
            continue
        meant = nearest(name, known)
        yield f"{name} is not a setting" + (f": did you mean {meant[0]}?" if meant else ", and has no effect.")


def base_of(url: AnyHttpUrl) -> str:
    """The address to which paths are appended, without the `/graphql` of an address copied from a browser."""
    return str(url).rstrip("/").removesuffix("/graphql").rstrip("/")


def comma_separated(value: Any) -> Any:
    """The parts of a text, without surrounding blanks; a value of another type is returned unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _base_url(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("is more than an address: remove the part before @, and anything from ? or # on")
    return url


def _target(uri: str) -> str:
    if holds_password(uri):
        raise ValueError("contains a password: set it in the environment, in the variable of the target's client")
    if not re.match(r"[a-z][a-z0-9+.-]*://\S", uri, re.IGNORECASE):
        raise ValueError("is not a URI: write s3://bucket/prefix or postgresql://user@host/database")
    return uri


def _lake_uri(uri: str) -> str:
    if holds_password(uri):
        raise ValueError("contains a password: set it in the environment, in the variable of the store's client")
    if not re.fullmatch(r"(s3|gs|abfss?)://[^/?#\s]+(/[^?#\s]*)?", uri):
        raise ValueError("is not the URI of an object store: write s3://bucket/prefix, without options")
    return uri.rstrip("/")


def _spark_remote(url: str) -> str:
    if any(_SECRET_OPTION.search(option.split("=")[0]) for option in url.split(";")[1:]):
        raise ValueError("contains a token: set it in the environment, in SPARK_CONNECT_AUTHENTICATE_TOKEN")
    if url and not re.fullmatch(r"sc://([^][/?#;@:\s]+|\[[\da-fA-F:.]+\])(:\d+)?(/(;[^?#\s]*)?)?", url):
        raise ValueError("is not the address of a server of Spark Connect: write sc://host:port")
    return url


def _secret_that(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


# The types of settings with such a check.
BaseUrl = Annotated[AnyHttpUrl, AfterValidator(_base_url)]
Cron = Annotated[str, AfterValidator(checked_cron)]
DataDir = Annotated[Path, AfterValidator(checked_data_dir)]
LakeUri = Annotated[str, AfterValidator(_lake_uri)]
Name = Annotated[str, AfterValidator(checked_secret)]
Secret = Annotated[SecretStr, _secret_that(checked_secret)]
SparkRemote = Annotated[str, AfterValidator(_spark_remote)]
Target = Annotated[str, AfterValidator(_target)]
TimeZone = Annotated[str, AfterValidator(checked_time_zone)]
Token = Annotated[SecretStr, _secret_that(checked_header)]
