"""Random sequences of loads against a dictionary in plain Python that says what `raw` and `raw_history` must hold."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.warehouse import rebuild
from tests.examples import examples
from tests.unit.warehouse.random_loads import Load, Reference, full_loads, incremental_loads, loads_by_owner
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, SMALL, THINGS, House


@pytest.mark.slow
@settings(max_examples=examples(25))
@given(st.lists(full_loads | incremental_loads | loads_by_owner(), min_size=1, max_size=5), st.booleans())
def test_any_sequence_of_loads(loads: list[Load], at_once: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        references = [Reference(table) for table in (THINGS, ATTRIBUTES, LINKS)]
        for load in loads:
            manifest = house.write(load.rows(), strategy=load.strategy, gone=load.gone, owners=load.owners)  # type: ignore[arg-type]
            for reference in references:
                reference.apply(load, manifest.load_id, manifest.started_at)
            if not at_once:
                house.load()
        house.load()
        for reference in references:
            reference.assert_found(house)
        once = house.contents()
        assert house.load().loads == ()
        assert house.contents() == once
        rebuild(house.lake, house.database, house.tables, resources=SMALL)
        for reference in references:
            reference.assert_found(house)
