"""Which nodes are downstream of what changed: a manifest small enough to be followed with a finger."""

from typing import Any

import pytest

from ion_pipeline.pipeline.dbt.pending import Source, pending

VIEW, TABLE = {"materialized": "view"}, {"materialized": "table"}
SETTLED = {"materialized": "view", "meta": {"same_after_any_load": True}}


def node(kind: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"resource_type": kind, "name": name, "config": config}


def source(source_name: str, schema: str, name: str) -> dict[str, str]:
    return {"source_name": source_name, "schema": schema, "name": name, "relation_name": f'"w"."{schema}"."{name}"'}


NODES = {
    "model.p.stg_parts": node("model", "stg_parts", VIEW),
    "model.p.parts": node("model", "parts", TABLE),
    "model.p.stg_runs": node("model", "stg_runs", VIEW),
    "model.p.runs": node("model", "runs", TABLE),
    "model.p.part_runs": node("model", "part_runs", TABLE),
    "model.p.loads": node("model", "loads", TABLE),
    "model.p.first": node("model", "first", SETTLED),
    "model.p.dated": node("model", "dated", TABLE),
    "seed.p.zones": node("seed", "zones", {"materialized": "seed"}),
    "test.p.stg_parts_key.1": node("test", "stg_parts_key", {"materialized": "test"}),
    "test.p.runs_refer_to_parts.2": node("test", "runs_refer_to_parts", {"materialized": "test"}),
    "test.p.raw_runs.3": node("test", "raw_runs", {"materialized": "test"}),
}
CHILDREN = {
    "source.p.ion.parts": ["model.p.stg_parts"],
    "source.p.ion_history.runs": ["model.p.dated"],
    "source.p.ion.runs": ["model.p.stg_runs", "test.p.raw_runs.3"],
    "source.p.ion_controlled.runs": ["model.p.runs"],
    "source.p.ion_load_log._ion_loads": ["model.p.loads", "model.p.first"],
    "model.p.first": ["model.p.dated"],
    "model.p.stg_parts": ["model.p.parts", "test.p.stg_parts_key.1"],
    "model.p.parts": ["model.p.part_runs", "test.p.runs_refer_to_parts.2"],
    "model.p.stg_runs": ["model.p.runs"],
    "model.p.runs": ["model.p.part_runs", "test.p.runs_refer_to_parts.2"],
    "seed.p.zones": ["model.p.runs"],
}
MANIFEST = {
    "nodes": NODES,
    "sources": {
        "source.p.ion.parts": source("ion", "released", "parts"),
        "source.p.ion.runs": source("ion", "raw", "runs"),
        "source.p.ion_history.runs": source("ion_history", "raw_history", "runs"),
        "source.p.ion_controlled.runs": source("ion_controlled", "raw_controlled", "runs"),
        "source.p.ion_load_log._ion_loads": source("ion_load_log", "raw", "_ion_loads"),
    },
    "child_map": {name: CHILDREN.get(name, []) for name in [*NODES, *CHILDREN]},
}


@pytest.mark.parametrize(
    ("changed", "names", "readers"),
    [
        (set(), [], set()),
        ({"nobody_reads_this"}, [], set()),
        # Through views to tables, with the tests of both; no view, and no test of what stayed.
        ({"parts"}, ["part_runs", "parts", "runs_refer_to_parts", "stg_parts_key"], {"model.p.stg_parts"}),
        # The history too, and the tests of the source; no seed.
        (
            {"runs"},
            ["dated", "part_runs", "raw_runs", "runs", "runs_refer_to_parts"],
            {"model.p.dated", "model.p.stg_runs", "test.p.raw_runs.3"},
        ),
        # A model that reads the load log, but not what loads change, is not built.
        ({"_ion_loads"}, ["loads"], {"model.p.loads"}),
        # Which rows are controlled is a source of its own: the rows need not have changed.
        ({"raw_controlled.runs"}, ["part_runs", "runs", "runs_refer_to_parts"], {"model.p.runs"}),
        (
            {"_ion_loads", "parts"},
            ["loads", "part_runs", "parts", "runs_refer_to_parts", "stg_parts_key"],
            {"model.p.loads", "model.p.stg_parts"},
        ),
    ],
)
def test_what_is_downstream(changed: set[str], names: list[str], readers: set[str]) -> None:
    found = pending(MANIFEST, changed)
    assert found.names == tuple(names)
    assert found.readers == readers
    assert {name.split(".")[2] for name in found.downstream} >= {*names}
    assert found.downstream >= readers
    assert "model.p.first" not in found.downstream


def test_what_loads_changed_of_what_each_reads() -> None:
    """A source that rows enter and leave without a load is not followed row by row."""
    found = pending(MANIFEST, {"parts", "runs", "_ion_loads"})
    assert found.sources == {
        "model.p.stg_parts": (Source('"w"."released"."parts"', "parts", is_history=False),),
        "model.p.stg_runs": (Source('"w"."raw"."runs"', "runs", is_history=False),),
        "test.p.raw_runs.3": (Source('"w"."raw"."runs"', "runs", is_history=False),),
        "model.p.dated": (Source('"w"."raw_history"."runs"', "runs", is_history=True),),
        "model.p.loads": None,
    }
    assert pending(MANIFEST, {"raw_controlled.runs"}).sources == {"model.p.runs": None}
