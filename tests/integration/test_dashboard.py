"""The dashboard for Superset, without Superset: its datasets are published, its queries give the marts' figures."""

# ruff: noqa: S608 -- names come from the archive that the test has written

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import orjson
import pytest

from ion_pipeline.dashboard import write_dashboard
from ion_pipeline.errors import SettingsError
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.settings import load_settings
from tests.dashboard_charts import EXPECTED, chosen, documents, expected, plain, query_of, same, sql_of
from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

Documents = dict[str, dict[str, Any]]


def read(path: Path) -> Documents:
    with zipfile.ZipFile(path) as archive:
        return documents({name: archive.read(name) for name in archive.namelist()})


@pytest.fixture(scope="module")
def archive(demo_warehouse: Built, tmp_path_factory: pytest.TempPathFactory) -> Documents:
    path = tmp_path_factory.mktemp("dashboard") / "superset.zip"
    written = write_dashboard(load_settings(data_dir=demo_warehouse.data_dir), path)
    assert written.charts == len(EXPECTED)
    return read(path)


@pytest.fixture(scope="module")
def of_kind(archive: Documents) -> Callable[[str], list[dict[str, Any]]]:
    def find(folder: str) -> list[dict[str, Any]]:
        return [document for path, document in archive.items() if path.startswith(f"{folder}/")]

    return find


# Not for the whole module: the dashboard opens the file with settings of its own.
@pytest.fixture
def published(demo_warehouse: Built) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


Kinds = Callable[[str], list[dict[str, Any]]]


def test_datasets_have_the_columns_that_are_published(of_kind: Kinds, published: duckdb.DuckDBPyConnection) -> None:
    datasets = of_kind("datasets")
    assert len(datasets) >= 11
    for dataset in datasets:
        source = f"({dataset['sql']})" if dataset["sql"] else f"{dataset['schema']}.{dataset['table_name']}"
        held = {name: kind for name, kind, *_ in published.execute(f"describe from {source}").fetchall()}
        columns = {one["column_name"]: one["type"] for one in dataset["columns"] if one["expression"] is None}
        assert columns.items() <= held.items(), dataset["table_name"]
        # What is left out is what no chart can group by.
        assert all("[]" in held[name] or "MAP(" in held[name] for name in held.keys() - columns.keys())
        assert dataset["main_dttm_col"] is None or dataset["main_dttm_col"] in columns


def test_every_part_of_a_chart_is_in_its_dataset(of_kind: Kinds) -> None:
    datasets = {one["uuid"]: one for one in of_kind("datasets")}
    charts = of_kind("charts")
    assert {chart["slice_name"] for chart in charts} == EXPECTED.keys()
    for chart in charts:
        dataset = datasets[chart["dataset_uuid"]]
        columns = {one["column_name"] for one in dataset["columns"]}
        metrics = {one["metric_name"] for one in dataset["metrics"]}
        query, form = query_of(chart), chart["params"]
        axes = {one["sqlExpression"] for one in query["columns"] if isinstance(one, dict)}
        listed = [one for one in query["columns"] if isinstance(one, str)]
        assert axes == ({form["x_axis"]} - {None} if "x_axis" in form else set())
        assert listed == [*form["groupby"], *form.get("all_columns", ())]
        assert {*listed, *axes} <= columns
        # The editor of charts asks by the form, the API by the query.
        assert (query["metrics"] or []) == form["metrics"]
        assert set(form["metrics"]) <= metrics
        assert {form["metric"]} <= metrics if "metric" in form else True
        assert {name for name, _ in query["orderby"]} <= columns | metrics


@pytest.mark.parametrize("title", EXPECTED)
def test_a_chart_shows_the_figures_of_the_tables(
    title: str, of_kind: Kinds, published: duckdb.DuckDBPyConnection
) -> None:
    datasets = {one["uuid"]: one for one in of_kind("datasets")}
    [chart] = [one for one in of_kind("charts") if one["slice_name"] == title]
    names, rows = expected(published, title)
    sql = sql_of(datasets[chart["dataset_uuid"]], query_of(chart), chosen(published, title))
    shown = ", ".join(f'"{name}"' for name in names)
    assert rows
    assert same(plain(published.execute(f"select {shown} from ({sql})").fetchall()), rows)
    assert len(rows) <= query_of(chart)["row_limit"]


def test_the_recall_of_the_dashboard_is_that_of_the_macro_for_every_lot(
    of_kind: Kinds, published: duckdb.DuckDBPyConnection
) -> None:
    [dataset] = [one for one in of_kind("datasets") if one["table_name"].startswith("recall")]
    published.execute(f"create temporary table found as {dataset['sql']}")
    shown = "part_inventory_id, quantity_extended, path_count, min_depth"
    lots = published.execute(
        "select distinct coalesce(part_number, 'part ' || part_id), lot_number from reference.part_inventories "
        "where lot_number is not null order by all"
    ).fetchall()
    assert len(lots) > 50
    with_units = 0
    for part, lot in lots:
        ours = published.execute(f"select {shown} from found where searched_for = ?", [f"{part}:{lot}"]).fetchall()
        theirs = published.execute(f"select {shown} from recall(?, ?) where is_in_tree", [part, lot]).fetchall()
        assert same(plain(ours), plain(theirs)), (part, lot)
        with_units += bool(theirs)
    assert with_units > 20


def test_what_a_reader_chooses_is_in_a_dataset_and_a_tab(archive: Documents, of_kind: Kinds) -> None:
    [dashboard] = of_kind("dashboards")
    datasets = {one["uuid"]: one for one in of_kind("datasets")}
    position = dashboard["position"]
    filters = dashboard["metadata"]["native_filter_configuration"]
    assert len(filters) >= 5
    for one in filters:
        assert set(one["scope"]["rootPath"]) <= position.keys()
        [target] = one["targets"]
        if one["filterType"] == "filter_select":
            dataset = datasets[target["datasetUuid"]]
            assert target["column"]["name"] in {column["column_name"] for column in dataset["columns"]}
            # Of a control chart or a recall a reader sees one, also at first.
            if not one["controlValues"]["multiSelect"]:
                [condition] = one["defaultDataMask"]["extraFormData"]["filters"]
                assert condition == {"col": target["column"]["name"], "op": "IN", "val": condition["val"]}
                assert len(condition["val"]) == 1
    placed = {node["meta"]["uuid"] for key, node in position.items() if key.startswith("CHART-")}
    assert placed == {chart["uuid"] for chart in of_kind("charts")}
    for key, node in position.items():
        if isinstance(node, dict):
            assert all(position[child]["parents"][-1] == key for child in node.get("children", ()) if key != "ROOT_ID")
    for row in (node for key, node in position.items() if key.startswith("ROW-")):
        assert sum(position[child]["meta"]["width"] for child in row["children"]) <= 12
    identifiers = [document["uuid"] for document in archive.values() if "uuid" in document]
    assert len(identifiers) == len({UUID(one) for one in identifiers})


def test_of_several_lots_no_number_of_units_is_shown(of_kind: Kinds, published: duckdb.DuckDBPyConnection) -> None:
    """Their units are counted in one sum otherwise, each once."""
    [dataset] = [one for one in of_kind("datasets") if one["table_name"].startswith("recall")]
    [units] = [one["expression"] for one in dataset["metrics"]]
    counted = f"select {units} from ({dataset['sql']}) as source"
    lot = "searched_for = 'PLT-POWDER:PLT-BAD-POWDER'"
    assert published.execute(counted).fetchall() == [(None,)]
    assert (
        published.execute(f"{counted} where {lot}").fetchall()
        == published.execute(EXPECTED["Units that contain it"]).fetchall()
    )
    assert published.execute(f"{counted} where searched_for = 'in no unit'").fetchall() == [(0,)]


def test_an_archive_for_another_database_replaces_the_same_dashboard(
    demo_warehouse: Built, archive: Documents, tmp_path: Path
) -> None:
    settings = load_settings(data_dir=demo_warehouse.data_dir)
    uri = "postgresql://superset@db.example/ion"
    write_dashboard(settings, tmp_path / "other.zip", uri=uri)
    other = read(tmp_path / "other.zip")
    assert (
        archive["databases/ION.yaml"]["sqlalchemy_uri"] == f"duckdb:///{demo_warehouse.published}?access_mode=read_only"
    )
    assert other["databases/ION.yaml"] == {**archive["databases/ION.yaml"], "sqlalchemy_uri": uri}
    changed = {path for path in archive if orjson.dumps(other[path]) != orjson.dumps(archive[path])}
    assert changed == {"databases/ION.yaml", "metadata.yaml"}


@pytest.mark.parametrize("uri", ["postgresql://superset:secret@db.example/ion", "duckdb:///x?motherduck_token=secret"])
def test_a_password_is_not_written(demo_warehouse: Built, tmp_path: Path, uri: str) -> None:
    settings = load_settings(data_dir=demo_warehouse.data_dir)
    with pytest.raises(SettingsError) as caught:
        write_dashboard(settings, tmp_path / "superset.zip", uri=uri)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "superset.zip").exists()


def test_without_a_publish_there_is_no_dashboard(tmp_path: Path) -> None:
    with pytest.raises(NotPublishedError):
        write_dashboard(load_settings(data_dir=tmp_path / "empty"), tmp_path / "superset.zip")


def test_a_publish_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    published = tmp_path / "data" / "published"
    published.mkdir(parents=True)
    with duckdb.connect(str(published / "ion.duckdb")) as connection:
        connection.execute("create schema quality; create table quality.first_pass_yield (day_on date)")
    with pytest.raises(NotPublishedError, match="step_attempts"):
        write_dashboard(load_settings(data_dir=tmp_path / "data"), tmp_path / "superset.zip")
