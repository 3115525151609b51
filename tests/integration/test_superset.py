"""Apache Superset on the published file: the dashboard, and a chart made by hand, through its own API.

Superset needs an environment of its own (it wants an older SQLAlchemy), so this runs only where there is one:

    python -m venv superset
    superset/bin/pip install apache-superset==6.1.0 rich cachetools flask-caching==2.3.1
    superset/bin/pip install duckdb-engine==0.17.0 duckdb==2.0.0
    ION_TEST_SUPERSET=superset pytest tests/integration/test_superset.py
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from ion_pipeline.dashboard import write_dashboard
from ion_pipeline.settings import load_settings
from tests.dashboard_charts import EXPECTED, chosen, expected, plain, same
from tests.integration.conftest import Built
from tests.superset_server import Superset, imported, running

ENVIRONMENT = os.environ.get("ION_TEST_SUPERSET")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ENVIRONMENT, reason="ION_TEST_SUPERSET does not name an environment with Superset"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with running(Path(str(ENVIRONMENT)), tmp_path_factory.mktemp("superset")) as superset:
        yield superset


@pytest.fixture(scope="module")
def superset(server: Superset) -> httpx.Client:
    """A client that is logged in."""
    return server.client


def made(answer: httpx.Response) -> int:
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def test_a_dataset_and_a_chart(superset: httpx.Client, demo_warehouse: Built) -> None:
    database = made(
        superset.post(
            "/api/v1/database/",
            json={
                "database_name": "ION",
                "sqlalchemy_uri": f"duckdb:///{demo_warehouse.published}?access_mode=read_only",
                "expose_in_sqllab": True,
            },
        )
    )
    dataset = made(
        superset.post(
            "/api/v1/dataset/",
            json={"database": database, "schema": "reference", "table_name": "part_inventories"},
        )
    )
    columns = superset.get(f"/api/v1/dataset/{dataset}").raise_for_status().json()["result"]["columns"]
    assert {"part_number", "serial_number", "quantity"} <= {column["column_name"] for column in columns}

    query: dict[str, Any] = {
        "columns": ["part_number"],
        "metrics": [{"label": "units", "expressionType": "SQL", "sqlExpression": "count(*)"}],
        "orderby": [["units", False]],
        "row_limit": 5,
    }
    chart = made(
        superset.post(
            "/api/v1/chart/",
            json={
                "slice_name": "Units by part",
                "viz_type": "table",
                "datasource_id": dataset,
                "datasource_type": "table",
                "params": orjson.dumps({"viz_type": "table", "groupby": ["part_number"], "row_limit": 5}).decode(),
                "query_context": orjson.dumps(
                    {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "result_format": "json"}
                ).decode(),
            },
        )
    )
    [result] = superset.get(f"/api/v1/chart/{chart}/data/").raise_for_status().json()["result"]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        counts = dict(
            connection.execute("select part_number, count(*) from reference.part_inventories group by all").fetchall()
        )
    shown = {row["part_number"]: row["units"] for row in result["data"]}
    assert len(shown) == 5
    assert shown.items() <= counts.items()
    assert sorted(shown.values()) == sorted(counts.values())[-5:]


@pytest.fixture(scope="module")
def charts(server: Superset, demo_warehouse: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The charts of the imported dashboard by their titles."""
    archive = tmp_path_factory.mktemp("dashboard") / "superset.zip"
    write_dashboard(load_settings(data_dir=demo_warehouse.data_dir), archive)
    # Twice: an import replaces the dashboard of an earlier one.
    first, second = imported(server, archive), imported(server, archive)
    assert first == second
    return second[1]


def test_the_dashboard_has_its_charts(charts: dict[str, int]) -> None:
    assert charts.keys() == EXPECTED.keys()


@pytest.mark.parametrize("title", EXPECTED)
def test_a_chart_of_the_dashboard_shows_the_figures_of_the_tables(
    title: str, superset: httpx.Client, charts: dict[str, int], demo_warehouse: Built
) -> None:
    chart = superset.get(f"/api/v1/chart/{charts[title]}").raise_for_status().json()["result"]
    context = orjson.loads(chart["query_context"])
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names, rows = expected(connection, title)
        picked = chosen(connection, title)
    [query] = context["queries"]
    query["filters"] = [{"col": column, "op": "IN", "val": [value]} for column, value in picked.items()]
    answer = superset.post("/api/v1/chart/data", json=context)
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["result"]
    assert rows
    assert same(plain([row[name] for name in names] for row in result["data"]), rows)
