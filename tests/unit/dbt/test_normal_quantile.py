"""The normal quantile behind sigma levels, compared with Python's and with the published six sigma table."""

from pathlib import Path
from statistics import NormalDist

import duckdb
import jinja2
import pytest

MACRO = Path(__file__).parents[3] / "dbt_project" / "macros" / "normal_quantile.sql"


def quantiles(probabilities: list[float]) -> list[float]:
    macros = jinja2.Environment(autoescape=False).from_string(MACRO.read_text("utf-8")).module  # noqa: S701 -- SQL
    quantile = macros.normal_quantile("p")  # type: ignore[attr-defined]
    with duckdb.connect() as connection:
        connection.execute("create table probabilities (place integer, p double)")
        connection.executemany("insert into probabilities values (?, ?)", list(enumerate(probabilities)))
        found = connection.execute(f"select {quantile} from probabilities order by place").fetchall()  # noqa: S608
    return [row[0] for row in found]


def test_it_equals_pythons_over_the_whole_range() -> None:
    probabilities = [
        *(place / 1000 for place in range(1, 1000)),
        *(10.0**-power for power in range(4, 300)),
        *(1 - 10.0**-power for power in range(4, 16)),
        0.075,
        0.925,
    ]
    expected = [NormalDist().inv_cdf(p) for p in probabilities]
    assert quantiles(probabilities) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("dpmo", "sigma"), [(691462, 1.0), (308538, 2.0), (66807, 3.0), (6210, 4.0), (233, 5.0), (3.4, 6.0)]
)
def test_it_gives_the_published_sigma_levels(dpmo: float, sigma: float) -> None:
    [quantile] = quantiles([1 - dpmo / 1e6])
    assert round(quantile + 1.5, 3) == sigma
