"""The model of a cluster, against numbers that were computed by hand."""

import pytest

from benchmarks.cluster_model import (
    Assumptions,
    Line,
    Measured,
    crossing,
    duckdb_seconds,
    fitted,
    price,
    spark_seconds,
)

GIVEN = Assumptions(
    alone=0.2, driver_cores=2, efficiency=0.5, cores_per_node=8, network_gb_per_second=1, price_per_core_hour=0.09
)
MEASURED = Measured(duckdb=Line(10, 50), driver=400, tasks=Line(80, 200), shuffled_gb=Line(0, 16))


def test_duckdb_keeps_one_core_busy_with_a_share_and_all_with_the_rest() -> None:
    # The fixed part is not shared; 50 · (0.2 + 0.8/4) = 20.
    assert duckdb_seconds(MEASURED, 4, GIVEN) == Line(10, pytest.approx(20))


def test_spark_waits_for_its_driver_its_tasks_and_the_network() -> None:
    # 400/2 + 80/(32·½) = 205; 200/(32·½) + 16·¾/(4·1) = 12.5 + 3
    assert spark_seconds(MEASURED, 32, GIVEN) == Line(pytest.approx(205), pytest.approx(15.5))


def test_one_node_moves_nothing_over_the_network() -> None:
    # 400/2 + 80/(8·½) = 220; 200/4 = 50
    assert spark_seconds(MEASURED, 8, GIVEN) == Line(pytest.approx(220), pytest.approx(50))


def test_spark_is_faster_from_where_the_lines_cross() -> None:
    duckdb, spark = duckdb_seconds(MEASURED, 4, GIVEN), spark_seconds(MEASURED, 32, GIVEN)
    # 10 + 20 m = 205 + 15.5 m
    millions = crossing(duckdb, spark)
    assert millions == pytest.approx(195 / 4.5)
    assert duckdb.at(43.333333) == pytest.approx(876.66666)
    assert spark.at(43.333333) == pytest.approx(876.66666)


def test_spark_is_never_faster_if_each_row_takes_longer() -> None:
    assert crossing(Line(4, 20), Line(205, 20)) is None
    assert crossing(Line(300, 20), Line(205, 10)) == 0


def test_cores_are_paid_by_the_hour() -> None:
    # half an hour of 10 cores
    assert price(1800, 10, GIVEN) == pytest.approx(0.45)


def test_lines_go_through_what_was_measured_and_the_driver_is_that_of_the_largest() -> None:
    def document(millions: float, driver: float, tasks: float) -> dict[str, object]:
        return {
            "plant": "quality",
            "measurements": millions * 1e6,
            "duckdb": {"processor_seconds": 20 + 30 * millions},
            "spark": {
                "processor_seconds": {"java": driver + tasks - 25, "python": 25},
                "counters": {
                    "tasks_processor_seconds": tasks - 5,
                    "tasks_unpacking_processor_seconds": 5,
                    "shuffled_gb": millions / 2,
                },
            },
        }

    # Tasks take 50 + 100 m.
    found = fitted([document(10, 430, 1050), document(1, 410, 150), document(2, 420, 250)])
    assert found.driver == pytest.approx(430)
    for line, (fixed, per_million) in {
        found.duckdb: (20, 30),
        found.tasks: (50, 100),
        found.shuffled_gb: (0, 0.5),
    }.items():
        assert (line.fixed, line.per_million) == (pytest.approx(fixed, abs=1e-9), pytest.approx(per_million))
