"""The client package exports exactly the names in `__all__`."""

import pytest

import ion_pipeline.client
import ion_pipeline.extract


@pytest.mark.parametrize("package", [ion_pipeline.client, ion_pipeline.extract], ids=lambda package: package.__name__)
def test_all_is_sorted_and_true(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert len(names) == len(set(names)) > 10
    assert all(hasattr(package, name) for name in names)


def test_every_error_of_the_tree_is_offered_and_drawn() -> None:
    from ion_pipeline.client import errors

    tree = {name for name, member in vars(errors).items() if isinstance(member, type) and name.endswith("Error")}
    assert tree - {"IonPipelineError"} <= set(ion_pipeline.client.__all__)
    assert errors.__doc__
    assert all(name in errors.__doc__ for name in tree)
