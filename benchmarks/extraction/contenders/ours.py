"""Ours: the extraction of one refresh as `ion-pipeline extract` runs it, into the lake, including every check."""

import json
import sys
from pathlib import Path

from pydantic import SecretStr

from ion_pipeline.pipeline.steps import extract
from ion_pipeline.settings import Settings


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings = Settings(
        environment="custom",
        api_url=job["url"],
        auth_url=job["url"],
        token=SecretStr("bench"),
        data_dir=Path(job["dir"]),
        page_size=job["page_size"],
        max_concurrency=job["in_flight"],
        requests_per_second=10_000,
        **job["settings"],
    )
    report = extract(settings, entities=tuple(job["entities"]))
    assert not report.unread


if __name__ == "__main__":
    main()
