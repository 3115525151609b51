"""The data directory's memory of how many rows its tenant gives at once, where that is less than the page size set."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ion_pipeline.files.storage import replace_file

_NAME = "page_size.json"


@dataclass(frozen=True, slots=True)
class LearnedPageSize:
    """What a tenant was found to accept.

    Attributes:
        asked: The page size that was set.
        accepted: Rows of one list that the tenant gives at once: fewer.
        api_host: Host of the API that was asked.
        learned_at: When, by this machine's clock.
    """

    asked: int
    accepted: int
    api_host: str
    learned_at: datetime


def read_page_size(data_dir: Path) -> LearnedPageSize | None:
    """What was kept last; None if nothing was, or if it cannot be read: it is learned again in a request or two."""
    try:
        document = orjson.loads((data_dir / _NAME).read_bytes())
        learned_at = datetime.fromisoformat(document["learned_at"]).astimezone(UTC)
        found = LearnedPageSize(document["asked"], document["accepted"], document["api_host"], learned_at)
        is_less = 0 < found.accepted < found.asked
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if is_less else None


def keep_page_size(data_dir: Path, learned: LearnedPageSize) -> None:
    """Keep what was learned, in place of what was known before.

    Raises:
        OSError: It cannot be written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    replace_file(data_dir / _NAME, orjson.dumps(learned, option=orjson.OPT_INDENT_2))
