"""dbt's source declarations and the catalog list the same raw tables."""

import yaml

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from tests.contract.dbt_sources import SOURCES

REMEDY = "run `python -m tests.contract.dbt_sources`"


def declared(
    name: str = "ion", schema: str = "{{ env_var('ION_SOURCE_SCHEMA', 'raw') }}"
) -> dict[str, dict[str, object]]:
    sources = {source["name"]: source for source in yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"]}
    assert set(sources) == {"ion", "ion_history", "ion_controlled"}
    assert sources[name]["schema"] == schema
    return {table["name"]: table for table in sources[name]["tables"]}


def test_same_tables() -> None:
    in_dbt, in_catalog = set(declared()), set(known_catalog().tables)
    assert in_catalog
    differences = [
        *(f"missing in _sources.yml: {name}" for name in sorted(in_catalog - in_dbt)),
        *(f"not in the catalog: {name}" for name in sorted(in_dbt - in_catalog)),
    ]
    assert not differences, "\n".join([*differences, REMEDY])


def test_each_source_is_the_raw_asset_of_its_name_and_describes_its_rows() -> None:
    for name, table in declared().items():
        entity = known_catalog().tables[name].entity
        assert table["config"] == {"meta": {"dagster": {"asset_key": ["raw", name]}, "entity": entity}}, REMEDY
        for column in known_catalog().tables[name].key:
            assert column in str(table["description"]), f"{name}: {REMEDY}"


def test_controlled_keys_are_declared_for_tables_that_can_have_them_as_the_same_asset() -> None:
    controlled = declared("ion_controlled", "raw_controlled")
    assert controlled, REMEDY
    assert set(controlled) <= references(known_schema(), known_catalog()).tables
    for name, table in controlled.items():
        assert table["config"] == {"meta": {"dagster": {"asset_key": ["raw", name]}}}, REMEDY


def test_history_is_declared_for_existing_tables_as_the_same_asset() -> None:
    history = declared("ion_history", "{{ env_var('ION_SOURCE_HISTORY_SCHEMA', 'raw_history') }}")
    assert history, REMEDY
    assert set(history) <= set(known_catalog().tables)
    for name, table in history.items():
        assert table["config"] == {"meta": {"dagster": {"asset_key": ["raw", name]}}}, REMEDY
