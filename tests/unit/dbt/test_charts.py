"""Charts and capability on invented results, compared with the definitions in plain Python."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.oracle import spc
from tests.unit.dbt.models import Models, models_above

FIELD = 5
PART = 7
DAY = datetime(2026, 1, 5, tzinfo=UTC)
INPUTS = {
    "stg_ion__run_step_fields": (
        "run_step_field_id bigint, run_step_id bigint, step_field_id bigint, run_step_field_name varchar,"
        " run_step_field_type varchar, unit varchar, value_json json, is_valid boolean, is_required boolean,"
        " is_not_applicable boolean, part_inventory_id bigint, entity_id bigint, file_attachment_id bigint,"
        " signoff_role_id bigint, is_export_controlled boolean, created_by_id bigint, updated_by_id bigint,"
        " created_at timestamptz, updated_at timestamptz"
    ),
    "stg_ion__run_step_file_attachments": "run_step_id bigint, file_attachment_id bigint, filename varchar",
    "stg_ion__datagrid_rows": "datagrid_row_id bigint, run_step_id bigint, is_required boolean",
    "stg_ion__datagrid_columns": (
        "datagrid_column_id bigint, datagrid_column_type varchar, header varchar, unit varchar, run_step_id bigint,"
        " signoff_role_id bigint"
    ),
    "stg_ion__datagrid_values": (
        "row_id bigint, column_id bigint, datagrid_value_type varchar, value_json json, is_not_applicable boolean,"
        " part_inventory_id bigint, entity_id bigint, file_attachment_id bigint, is_export_controlled boolean,"
        " created_by_id bigint, updated_by_id bigint, created_at timestamptz, updated_at timestamptz"
    ),
    "stg_ion__run_steps": (
        "run_step_id bigint, run_id bigint, run_step_title varchar, status varchar, ended_at timestamptz,"
        " completed_by_id bigint, origin_step_id bigint, updated_at timestamptz"
    ),
    "stg_ion__runs": (
        "run_id bigint, procedure_id bigint, part_inventory_id bigint, part_id bigint, status varchar, quantity double"
    ),
    "stg_ion__procedures": "procedure_id bigint, procedure_title varchar, procedure_version bigint",
    "stg_ion__part_inventories": "part_inventory_id bigint, part_id bigint, serial_number varchar, lot_number varchar",
    "stg_ion__parts": "part_id bigint, part_number varchar, part_revision varchar",
    "stg_ion__users": "user_id bigint, user_name varchar",
    "stg_ion__step_fields": "step_field_id bigint, step_id bigint, step_field_name varchar, unit varchar",
    "stg_ion__run_step_field_validations": (
        "run_step_field_validation_id bigint, run_step_field_id bigint, result varchar, limit_value double,"
        " validation_function_id bigint, updated_at timestamptz"
    ),
    "stg_ion__validation_functions": "validation_function_id bigint, function_name varchar, display_name varchar",
    "stg_ion__issues": "issue_id bigint, run_step_id bigint",
    "limit_functions": "function_name varchar, limit_kind varchar, is_inclusive boolean",
    "procedure_steps": (
        "step_id bigint, step_title varchar, procedure_id bigint, procedure_title varchar, procedure_version bigint,"
        " is_export_controlled boolean"
    ),
    "chart_baselines": "chart_key varchar, baseline_points bigint, starts_at timestamptz, ends_at timestamptz",
    "chart_rules": "rule_name varchar, is_on boolean",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
SEEDS = {
    "chart_rules": [{"rule_name": name, "is_on": True} for name in spc.RULES],
    "chart_baselines": [{"chart_key": "default", "baseline_points": spc.BASELINE}],
    "organization_settings": [{"setting_key": "production_time_zone", "setting_value": "UTC"}],
    "stg_ion__step_fields": [{"step_field_id": FIELD, "step_id": 3, "step_field_name": "Gap", "unit": "mm"}],
    "limit_functions": [
        {"function_name": "at least", "limit_kind": "lower", "is_inclusive": True},
        {"function_name": "at most", "limit_kind": "upper", "is_inclusive": True},
    ],
    "stg_ion__validation_functions": [
        {"validation_function_id": 1, "function_name": "at least", "display_name": "at least"},
        {"validation_function_id": 2, "function_name": "at most", "display_name": "at most"},
    ],
}


@pytest.fixture(scope="module")
def models() -> Models:
    needed = dict.fromkeys(
        name
        for mart in ("control_chart_points", "process_capability")
        for name in models_above(mart, INPUTS)
        if name not in INPUTS
    )
    return Models(INPUTS, needed)


def measured(
    models: Models,
    texts: Sequence[str],
    units: Sequence[str | None] = (),
    limits: Sequence[tuple[int, float]] = (),
) -> None:
    """Record one result per day, as JSON texts, all with the same limits."""
    days = range(1, len(texts) + 1)
    models.fill(
        **SEEDS,
        stg_ion__runs=[{"run_id": 1, "part_id": PART, "status": "COMPLETE"}],
        stg_ion__run_steps=[{"run_step_id": 1, "run_id": 1, "status": "COMPLETE"}],
        stg_ion__run_step_fields=[
            {
                "run_step_field_id": day,
                "run_step_id": 1,
                "step_field_id": FIELD,
                "run_step_field_type": "NUMBER",
                "unit": units[day - 1] if units else "mm",
                "value_json": text,
                "updated_at": DAY + timedelta(days=day),
            }
            for day, text in zip(days, texts, strict=True)
        ],
        stg_ion__run_step_field_validations=[
            {"run_step_field_id": day, "validation_function_id": function, "limit_value": value, "result": "PASS"}
            for day in days
            for function, value in limits
        ],
    )


def points(models: Models, chart_type: str = "individuals") -> list[dict[str, Any]]:
    return models.rows("from control_chart_points where chart_type = ? order by chart_key, point_number", [chart_type])


def capability(models: Models) -> dict[str, Any]:
    [row] = models.rows("from process_capability")
    return row


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("1", 1.0), ("-1.50", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("6.02e23", 6.02e23), ("1E-3", 0.001),
            ("007", 7.0),
            ("NaN", None), ("nan", None), ("Infinity", None), ("-inf", None), ("1e999", None), ("1e200", None),
            ("1_000", None), ("0x10", None), ("0b1", None), (" 1 ", None), ("1 ", None), ("1,5", None), ("", None),
            ("true", None), ("1e", None), ("--1", None), ("1.2.3", None), ("1\n", None), ("\uff11", None),
        ],
    )  # fmt: skip
    def test_only_finite_decimal_numbers_are_numbers(self, models: Models, text: str, number: float | None) -> None:
        escaped = text.replace("\n", "\\n")
        measured(models, [f'"{escaped}"'])
        [found] = models.rows("select value_number, is_unreadable from measurements")
        assert found == {"value_number": number, "is_unreadable": number is None}
        assert capability(models)["unreadable_count"] == (number is None)

    def test_unreadable_results_affect_no_statistic_and_are_counted(self, models: Models) -> None:
        measured(models, ["1", '"NaN"', "2", '"1_000"', "3", '"Infinity"', "1e999"])
        row = capability(models)
        assert (row["measurement_count"], row["unreadable_count"]) == (3, 4)
        assert (row["mean"], row["sigma_overall"]) == (2.0, 1.0)
        assert len(points(models)) == 3

    def test_a_field_without_a_not_applicable_flag_applies(self, models: Models) -> None:
        measured(models, ["4"])
        assert models.rows("select value_number, is_not_applicable from measurements") == [
            {"value_number": 4.0, "is_not_applicable": False}
        ]


class TestNoVariation:
    def test_any_other_value_is_beyond_the_limits_and_run_rules_apply(self, models: Models) -> None:
        values = [Fraction(5)] * 30 + [Fraction(9)] * 10
        measured(models, [str(int(value)) for value in values])
        chart = spc.individuals(values)
        found = points(models)
        assert [frozenset(point["rules_broken"]) for point in found] == chart.broken
        assert "nelson_1" in chart.broken[30]
        assert "western_electric_4" in chart.broken[37]
        assert "nelson_2" in chart.broken[38]
        assert chart.broken[29] == frozenset()
        assert [point["zone"] for point in found] == ["C"] * 30 + ["beyond"] * 10
        assert {(point["lower_control_limit"], point["upper_control_limit"]) for point in found} == {(5.0, 5.0)}

    def test_the_moving_range_off_a_centre_of_zero_is_beyond(self, models: Models) -> None:
        measured(models, ["5"] * 30 + ["9"] * 2)
        assert [point["point_number"] for point in points(models, "moving_range") if point["rules_broken"]] == [31]

    def test_a_baseline_of_one_point_gives_sides_but_no_limits(self, models: Models) -> None:
        values = [Fraction(value) for value in (5, *[6] * 9)]
        measured(models, [str(int(value)) for value in values])
        models.connection.execute("update chart_baselines set baseline_points = 1")
        for name in ("int_quality__chart_values", "int_quality__chart_limits", "int_quality__individuals"):
            models.connection.execute(f"create or replace table {name} as {dict(models._models)[name]}")
        found = models.rows("from int_quality__individuals order by point_number")
        assert [frozenset(point["rules_broken"]) for point in found] == spc.individuals(values, 1).broken
        assert {point["sigma"] for point in found} == {None}

    def test_floating_point_error_is_not_variation(self, models: Models) -> None:
        measured(models, ["0.3", repr(0.1 + 0.2)] * 15, limits=[(1, 0.0), (2, 1.0)])
        row = capability(models)
        assert (row["sigma_within"], row["sigma_overall"], row["cpk"]) == (None, None, None)
        assert row["mean"] == pytest.approx(0.3, rel=1e-15)
        assert {tuple(point["rules_broken"]) for point in points(models)} == {()}
        assert row["is_in_control"]


class TestCapability:
    def test_an_index_comes_with_whether_the_chart_is_in_control(self, models: Models) -> None:
        measured(models, [str(10 + (day % 2)) for day in range(29)] + ["30"], limits=[(1, 0.0), (2, 40.0)])
        row = capability(models)
        assert (row["chart_key"], row["out_of_control_count"], row["is_in_control"]) == (
            f"individuals/{FIELD}/{PART}",
            sum(bool(point["rules_broken"]) for point in points(models)),
            False,
        )
        assert row["out_of_control_count"] > 0

    def test_swapped_limits_give_no_index(self, models: Models) -> None:
        measured(models, ["1", "2", "3"], limits=[(1, 3.0), (2, 1.0)])
        row = capability(models)
        assert row["has_swapped_limits"]
        assert {row[name] for name in ("cp", "cpk", "pp", "ppk", "tolerance", "distance_to_nearest_limit")} == {None}
        measured(models, ["1", "2", "3"], limits=[(1, 1.0), (2, 3.0)])
        row = capability(models)
        assert not row["has_swapped_limits"]
        assert row["cp"] == pytest.approx(2 / 6 * 1.128)

    def test_a_mean_of_zero_is_a_mean(self, models: Models) -> None:
        values = [Fraction(-1, 10), Fraction(3, 10), Fraction(-2, 10)]
        measured(models, [str(float(value)) for value in values], limits=[(1, -1.0), (2, 1.0)])
        row, expected = capability(models), spc.capability(values, Fraction(-1), Fraction(1))
        assert row["mean"] == pytest.approx(0, abs=1e-15)
        assert row["cpk"] == pytest.approx(expected.index(expected.to_nearest_limit, expected.sigma_within, 3))


class TestUnits:
    def test_one_chart_has_one_unit(self, models: Models) -> None:
        measured(models, ["25.4", "1", "25.6", "25.5", "1.1"], ["mm", " in", None, "mm ", "in"])
        charts: dict[tuple[str, str], list[float]] = {}
        for point in points(models):
            charts.setdefault((point["chart_key"], point["unit"]), []).append(point["chart_value"])
        assert charts == {
            (f"individuals/{FIELD}/{PART}", "mm"): [25.4, 25.6, 25.5],
            (f"individuals/{FIELD}/{PART}/in", "in"): [1.0, 1.1],
        }


def ended(models: Models, days: Sequence[Sequence[str | None]]) -> None:
    """End one run step per result of each day: FAILED, the type of a failed field, or None."""
    rows = [
        (number, day, what)
        for number, (day, what) in enumerate(
            ((day, what) for day, all_of_day in enumerate(days) for what in all_of_day), 1
        )
    ]
    typed = [(number, what) for number, _, what in rows if what not in (None, "FAILED")]
    models.fill(
        **SEEDS,
        stg_ion__runs=[{"run_id": 1, "status": "COMPLETE"}],
        stg_ion__run_steps=[
            {
                "run_step_id": number,
                "run_id": 1,
                "status": "FAILED" if what == "FAILED" else "COMPLETE",
                "origin_step_id": 3,
                "ended_at": DAY + timedelta(days=day),
            }
            for number, day, what in rows
        ],
        stg_ion__run_step_fields=[
            {
                "run_step_field_id": number,
                "run_step_id": number,
                "run_step_field_type": str(what).removesuffix("/na"),
                "value_json": '"x"',
                "is_not_applicable": str(what).endswith("/na"),
            }
            for number, what in typed
        ],
        stg_ion__run_step_field_validations=[
            {"run_step_field_validation_id": number, "run_step_field_id": number, "result": "FAIL"}
            for number, _ in typed
        ],
    )


class TestDays:
    def test_failures_count_for_every_type_of_field(self, models: Models) -> None:
        ended(models, [["STRING", "NUMBER", "SELECT", "FAILED", None, "STRING/na"]])
        [point] = points(models, "p")
        assert (point["run_steps_failed"], point["run_steps_ended"]) == (4.0, 6.0)
        assert (point["issues_found"], point["units_ended"]) == (None, None)

    def test_all_failed_after_clean_days_is_beyond(self, models: Models) -> None:
        ended(models, [[None] * 4] * 25 + [["FAILED"] * 4])
        found = points(models, "p")
        assert [bool(point["rules_broken"]) for point in found] == [
            point.is_beyond for point in spc.p_chart([(0, 4)] * 25 + [(4, 4)])
        ]
        assert found[-1]["zone"] == "beyond"
        assert found[-1]["upper_control_limit"] == 0.0

    def test_the_upper_limit_of_a_fraction_is_at_most_1(self, models: Models) -> None:
        ended(models, [["FAILED", None]] * 3 + [["FAILED", None] * 20])
        found = points(models, "p")
        chart = spc.p_chart([(1, 2)] * 3 + [(20, 40)])
        for point, expected in zip(found, chart, strict=True):
            upper = float(expected.centre) + 3 * math.sqrt(expected.variance)
            assert point["upper_control_limit"] == pytest.approx(min(upper, 1))
        assert found[0]["upper_control_limit"] == 1.0
        assert [point["is_small_sample"] for point in found] == [
            size * point.centre < 5 for (_, size), point in zip([(1, 2)] * 3 + [(20, 40)], chart, strict=True)
        ]

    def test_a_sample_is_small_where_few_events_are_expected(self, models: Models) -> None:
        ended(models, [["FAILED", None] * 5, ["FAILED", None] * 4])
        assert [point["is_small_sample"] for point in points(models, "p")] == [False, True]
