"""A simple program: httpx, orjson, `pyarrow.Table.from_pylist`, one Parquet file per table.

One stream per entity, by keyset. pyarrow infers the types from the first page; no retries, counts or checks.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq


def flat(node: dict[str, Any]) -> dict[str, Any]:
    """Return rows with lists of objects as JSON text, because their values have many types."""
    return {**node, "attributes": orjson.dumps(node["attributes"]).decode()} if "attributes" in node else node


async def read(client: httpx.AsyncClient, name: str, entity: Mapping[str, Any], job: Mapping[str, Any]) -> None:
    last, writer = 0, None
    while True:
        variables = {"first": job["page_size"], "filters": {"id": {"gt": last}}}
        answer = await client.post("/graphql", json={"query": entity["document"], "variables": variables})
        connection = orjson.loads(answer.content)["data"][entity["root"]]
        nodes = [flat(edge["node"]) for edge in connection["edges"]]
        last = nodes[-1]["id"]
        table = pa.Table.from_pylist(nodes, schema=writer.schema if writer else None)
        writer = writer or pq.ParquetWriter(Path(job["dir"]) / f"{name}.parquet", table.schema, compression="zstd")
        writer.write_table(table)
        if not connection["pageInfo"]["hasNextPage"]:
            break
    writer.close()


async def main(job: Mapping[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=job["url"], timeout=60, trust_env=False) as client:
        await asyncio.gather(*(read(client, name, entity, job) for name, entity in job["entities"].items()))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
