# ruff: noqa: ARG002 - the signatures are singer-sdk's
"""A Meltano tap written with singer-sdk's `GraphQLStream`: one stream per entity, cursor pages, typed schemas.

Runs in its own environment and imports nothing of this repository.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from singer_sdk import GraphQLStream, Tap
from singer_sdk import typing as th

_TYPES: dict[str, Any] = {
    "int64": th.IntegerType,
    "double": th.NumberType,
    "bool": th.BooleanType,
    "timestamp[us, tz=UTC]": th.DateTimeType,
}


class EntityStream(GraphQLStream):
    """One connection."""

    primary_keys = ("id",)

    def __init__(self, tap: Tap, name: str, entity: dict[str, Any], job: dict[str, Any]) -> None:
        self._entity, self._job = entity, job
        lists = [th.Property(field, th.ArrayType(th.CustomType({}))) for field in entity["lists"]]
        columns = [th.Property(field, _type(kind)) for field, kind in entity["columns"].items()]
        super().__init__(tap=tap, name=name, schema=th.PropertiesList(*columns, *lists).to_dict())

    @property
    def url_base(self) -> str:
        """Return the endpoint."""
        return f"{self._job['url']}/graphql"

    @property
    def query(self) -> str:
        """Return the same document that all contenders send."""
        return str(self._entity["document"])

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """Return the variables of a page."""
        return {"first": self._job["page_size"], **({"after": next_page_token} if next_page_token else {})}

    def parse_response(self, response: Any) -> Iterable[dict[str, Any]]:
        """Return the rows of a page."""
        for edge in response.json()["data"][self._entity["root"]]["edges"]:
            yield edge["node"]

    def get_next_page_token(self, response: Any, previous_token: Any) -> Any:
        """Return the cursor of the next page, None after the last."""
        info = response.json()["data"][self._entity["root"]]["pageInfo"]
        return info["endCursor"] if info["hasNextPage"] else None


class TapBench(Tap):
    """The tap."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList(th.Property("job", th.StringType, required=True)).to_dict()

    def discover_streams(self) -> list[EntityStream]:
        """Return one stream per entity."""
        job = json.loads(Path(self.config["job"]).read_text(encoding="utf-8"))
        return [EntityStream(self, name, entity, job) for name, entity in job["entities"].items()]


def _type(kind: str) -> Any:
    if kind.startswith("list<"):
        return th.ArrayType(_type(kind.rpartition(": ")[2].rstrip(">")))
    return _TYPES.get(kind, th.StringType)


if __name__ == "__main__":
    TapBench.cli()
