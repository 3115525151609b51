"""Stores how many rows the tenant returns at once, if that is less than the page size in the settings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ion_pipeline.files.storage import replace_file

_NAME = "page_size.json"


@dataclass(frozen=True, slots=True)
class LearnedPageSize:
    """The largest page size that a tenant was found to accept.

    Attributes:
        asked: The page size in the settings.
        accepted: Rows of one list that the tenant returns at once; less than `asked`.
        api_host: Host of the tenant's API.
        learned_at: When this was found, by this machine's clock.
    """

    asked: int
    accepted: int
    api_host: str
    learned_at: datetime


def read_page_size(data_dir: Path) -> LearnedPageSize | None:
    """The stored page size; None if there is none or it cannot be read, since one or two requests find it again."""
    try:
        document = orjson.loads((data_dir / _NAME).read_bytes())
        learned_at = datetime.fromisoformat(document["learned_at"]).astimezone(UTC)
        found = LearnedPageSize(document["asked"], document["accepted"], document["api_host"], learned_at)
        is_less = 0 < found.accepted < found.asked
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if is_less else None


def keep_page_size(data_dir: Path, learned: LearnedPageSize) -> None:
    """Store a page size, replacing the one stored before.

    Raises:
        OSError: The file cannot be written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    replace_file(data_dir / _NAME, orjson.dumps(learned, option=orjson.OPT_INDENT_2))
