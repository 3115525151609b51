"""The dashboard in the format that Superset exports and imports: one YAML document per database, dataset and chart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from ion_pipeline.dashboard.layout import dashboard
from ion_pipeline.dashboard.model import Chart, Dataset, Filter, Tab
from ion_pipeline.dashboard.names import VERSION, Document, identifier_of, word

_DATABASE = "ION"
_NUMBER = ",.6~g"
_NESTED = ("[]", "STRUCT(", "MAP(")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the published file has it."""

    name: str
    type: str
    description: str

    @property
    def is_nested(self) -> bool:
        """Whether it is a list, map or struct, which no chart can group by."""
        return any(mark in self.type for mark in _NESTED)


def archive(
    title: str,
    tabs: Sequence[Tab],
    *,
    columns: Mapping[Dataset, Sequence[Column]],
    first: Mapping[Filter, str],
    uri: str,
    timestamp: str,
) -> dict[str, Document]:
    """All documents, by their paths in the archive.

    Args:
        title: Name of the dashboard.
        tabs: What is on it.
        columns: The columns of each dataset.
        first: The values that filters of one value have at first.
        uri: SQLAlchemy's address of the published tables, as Superset reaches them.
        timestamp: When the archive was made, in ISO 8601.
    """
    charts = {chart.title: chart for tab in tabs for row in tab.rows for chart in row}
    numbers = {name: number for number, name in enumerate(charts, start=1)}
    return {
        "metadata.yaml": {"version": VERSION, "type": "Dashboard", "timestamp": timestamp},
        f"databases/{_DATABASE}.yaml": _database(uri),
        **{f"datasets/{_DATABASE}/{_file(one.name)}": _dataset(one, columns[one]) for one in columns},
        **{f"charts/{_file(name)}": _chart(chart) for name, chart in charts.items()},
        "dashboards/ION.yaml": dashboard(title, tabs, numbers, first),
    }


def query_of(chart: Chart) -> Document:
    """What a chart asks of its dataset, as Superset's `query context` has it."""
    axis = [] if chart.axis is None else [_axis(chart.axis, chart.grain)]
    return {
        "columns": [*axis, *chart.by],
        # None and no metrics are two things: without metrics, rows are listed and not grouped.
        "metrics": list(chart.metrics) or None,
        "orderby": [] if chart.order is None else [list(chart.order)],
        "row_limit": chart.rows,
        "filters": [],
        "extras": {"where": f"({chart.where})" if chart.where else "", "having": ""},
        "time_range": "No filter",
    }


def _database(uri: str) -> Document:
    return {
        "database_name": _DATABASE,
        "sqlalchemy_uri": uri,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True},
        "uuid": identifier_of("database"),
        "version": VERSION,
    }


def _dataset(dataset: Dataset, columns: Iterable[Column]) -> Document:
    plain = [(one.name, one.type, one.description, None) for one in columns if not one.is_nested]
    computed = [(name, "VARCHAR", "", expression) for name, expression in dataset.computed]
    return {
        "table_name": dataset.name,
        "main_dttm_col": dataset.day,
        "description": None,
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": dataset.schema,
        "sql": dataset.query,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": None,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": identifier_of("dataset", dataset.name),
        "metrics": [
            {
                "metric_name": metric.name,
                "verbose_name": metric.name.replace("_", " "),
                "metric_type": None,
                "expression": metric.sql,
                "description": metric.says,
                "d3format": metric.shown_as,
                "currency": None,
                "extra": {},
                "warning_text": None,
            }
            for metric in dataset.metrics
        ],
        "columns": [
            {
                "column_name": name,
                "verbose_name": name.replace("_", " "),
                "is_dttm": kind == "DATE" or kind.startswith("TIMESTAMP"),
                "is_active": True,
                "type": kind,
                "advanced_data_type": None,
                "groupby": True,
                "filterable": True,
                "expression": expression,
                "description": description or None,
                "python_date_format": None,
                "extra": {},
            }
            for name, kind, description, expression in [*plain, *computed]
        ],
        "version": VERSION,
        "database_uuid": identifier_of("database"),
    }


def _axis(column: str, grain: str | None) -> Document:
    of_time = {} if grain is None else {"timeGrain": grain}
    return {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": column, "sqlExpression": column, **of_time}


def _chart(chart: Chart) -> Document:
    # The number of the dataset is Superset's own: it writes its own here when it imports the chart.
    datasource = {"id": 0, "type": "table"}
    context = {
        "datasource": datasource,
        "force": False,
        "queries": [query_of(chart)],
        "form_data": _form(chart),
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart.title,
        "description": None,
        "certified_by": None,
        "certification_details": None,
        "viz_type": chart.kind,
        "params": _form(chart),
        "query_context": orjson.dumps(context).decode(),
        "cache_timeout": None,
        "uuid": identifier_of("chart", chart.title),
        "version": VERSION,
        "dataset_uuid": identifier_of("dataset", chart.dataset.name),
    }


def _form(chart: Chart) -> Document:
    """What Superset's editor of charts shows, and makes its queries from."""
    condition = {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": chart.where}
    form: Document = {
        "viz_type": chart.kind,
        "adhoc_filters": [condition] if chart.where else [],
        "row_limit": chart.rows,
        "metrics": list(chart.metrics),
        "groupby": list(chart.by),
        "extra_form_data": {},
        **dict(chart.options),
    }
    match chart.kind:
        case "big_number_total":
            [metric] = chart.metrics
            return {**form, "metric": metric, "y_axis_format": _format_of(chart, metric)}
        case "table":
            return {**form, **_table_form(chart)}
    sorting: Document = {}
    if chart.order is not None:
        # Of several series, the sum can order the axis, and no single one of them.
        by = "sum" if chart.by and chart.order[0] in chart.metrics else chart.order[0]
        sorting = {"x_axis_sort": by, "x_axis_sort_asc": chart.order[1]}
    return {
        "x_axis": chart.axis,
        "time_grain_sqla": chart.grain,
        "rich_tooltip": True,
        "show_legend": len(chart.metrics) > 1,
        "y_axis_format": _format_of(chart, chart.metrics[0]),
        # Each name, although some are long.
        **({"xAxisLabelInterval": "0", "xAxisLabelRotation": 45} if chart.kind.endswith("_bar") else {}),
        **sorting,
        **form,
    }


def _table_form(chart: Chart) -> Document:
    # Superset ignores the format of a number for columns of other types.
    formats = {name: {"d3NumberFormat": _NUMBER} for name in chart.by if not name.endswith("_id")}
    form: Document = {"show_cell_bars": False, "column_config": formats}
    if not chart.metrics:
        order = [] if chart.order is None else [orjson.dumps(list(chart.order)).decode()]
        return {**form, "query_mode": "raw", "all_columns": list(chart.by), "groupby": [], "order_by_cols": order}
    if chart.order is not None:
        form |= {"timeseries_limit_metric": chart.order[0], "order_desc": not chart.order[1]}
    return {**form, "query_mode": "aggregate", "all_columns": [], "order_by_cols": []}


def _format_of(chart: Chart, name: str) -> str:
    return next(metric.shown_as for metric in chart.dataset.metrics if metric.name == name)


def _file(name: str) -> str:
    return f"{word(name)}.yaml"
