"""dbt's declaration of the raw tables and the catalog list the same tables."""

import yaml

from ion_pipeline.extract.catalog import known_catalog
from tests.contract.dbt_sources import SOURCES

REMEDY = "run `python -m tests.contract.dbt_sources`"


def declared() -> dict[str, dict[str, object]]:
    [source] = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"]
    assert (source["name"], source["schema"]) == ("ion", "raw")
    return {table["name"]: table for table in source["tables"]}


def test_same_tables() -> None:
    in_dbt, in_catalog = set(declared()), set(known_catalog().tables)
    assert in_catalog
    differences = [
        *(f"missing in _sources.yml: {name}" for name in sorted(in_catalog - in_dbt)),
        *(f"not in the catalog: {name}" for name in sorted(in_dbt - in_catalog)),
    ]
    assert not differences, "\n".join([*differences, REMEDY])


def test_each_is_the_raw_asset_of_its_name_and_says_what_a_row_is() -> None:
    for name, table in declared().items():
        assert table["config"] == {"meta": {"dagster": {"asset_key": ["raw", name]}}}, REMEDY
        for column in known_catalog().tables[name].key:
            assert column in str(table["description"]), f"{name}: {REMEDY}"
