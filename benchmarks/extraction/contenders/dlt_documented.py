"""dlt as in its documentation: one resource per entity, a generator over cursor pages, into DuckDB.

Pages are yielded whole, lists inside rows become child tables, and files go to DuckDB as INSERT statements, which is
dlt's default there, unless the job names another `loader_file_format`.

Runs in its own environment and imports nothing of this repository.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers import requests


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))

    @dlt.source(name="ion")
    def ion() -> Iterator[Any]:
        for name, entity in job["entities"].items():
            yield dlt.resource(pages(job, entity), name=name, primary_key="id", write_disposition="replace")

    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(Path(job["dir"]) / "pipelines"),
        destination=dlt.destinations.duckdb(str(Path(job["dir"]) / "dlt.duckdb")),
        dataset_name="ion",
    )
    pipeline.run(ion(), loader_file_format=job.get("loader_file_format"))


def pages(job: dict[str, Any], entity: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of an entity, page by page."""
    variables: dict[str, Any] = {"first": job["page_size"]}
    while True:
        answer = requests.post(
            f"{job['url']}/graphql",
            json={"query": entity["document"], "variables": variables},
            headers={"Authorization": "Bearer bench"},
        )
        answer.raise_for_status()
        connection = answer.json()["data"][entity["root"]]
        yield [edge["node"] for edge in connection["edges"]]
        if not connection["pageInfo"]["hasNextPage"]:
            return
        variables["after"] = connection["pageInfo"]["endCursor"]


if __name__ == "__main__":
    main()
