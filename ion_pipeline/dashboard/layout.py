"""The layout and the filters of the dashboard, in Superset's format."""

from collections.abc import Mapping, Sequence

from ion_pipeline.dashboard.model import Filter, Tab
from ion_pipeline.dashboard.names import VERSION, Document, identifier_of, word

# Letters of a tab's text in one line.
_LINE = 130


def dashboard(title: str, tabs: Sequence[Tab], numbers: Mapping[str, int], first: Mapping[Filter, str]) -> Document:
    """The dashboard: where its charts are, and what a reader chooses above them.

    Args:
        title: Its name.
        tabs: What is on it.
        numbers: A number for each chart, by title; Superset replaces them.
        first: The values that filters of one value have at first.
    """
    filters: dict[Filter, list[str]] = {}
    for tab in tabs:
        for one in tab.filters:
            filters.setdefault(one, []).append(_tab_key(tab))
    return {
        "dashboard_title": title,
        "description": None,
        "css": "",
        "slug": None,
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "uuid": identifier_of("dashboard"),
        "position": _position(title, tabs, numbers),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "native_filter_configuration": [_filter(one, scope, first.get(one)) for one, scope in filters.items()],
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "label_colors": {},
        },
        "version": VERSION,
    }


def _position(title: str, tabs: Sequence[Tab], numbers: Mapping[str, int]) -> Document:
    """The tree of the layout: tabs, rows in them, charts in these."""
    position: Document = {
        "DASHBOARDVERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["TABS-all"]},
        "GRID_ID": _node("GRID", "GRID_ID", [], ["ROOT_ID"]),
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
        "TABS-all": _node("TABS", "TABS-all", [_tab_key(tab) for tab in tabs], ["ROOT_ID"]),
    }

    def add(kind: str, key: str, parents: list[str], meta: Document) -> list[str]:
        position[key] = {**_node(kind, key, [], parents), "meta": meta}
        position[parents[-1]]["children"].append(key)
        return [*parents, key]

    for tab in tabs:
        position[_tab_key(tab)] = {
            **_node("TAB", _tab_key(tab), [], ["ROOT_ID", "TABS-all"]),
            "meta": {"text": tab.title, "defaultText": "Tab title", "placeholder": "Tab title"},
        }
        above = ["ROOT_ID", "TABS-all", _tab_key(tab)]
        row = add("ROW", f"ROW-{word(tab.title)}-text", above, {"background": "BACKGROUND_TRANSPARENT"})
        add(
            "MARKDOWN",
            f"MARKDOWN-{word(tab.title)}",
            row,
            {"code": tab.says, "width": 12, "height": 12 if len(tab.says) > _LINE else 9},
        )
        for number, charts in enumerate(tab.rows):
            row = add("ROW", f"ROW-{word(tab.title)}-{number}", above, {"background": "BACKGROUND_TRANSPARENT"})
            for chart in charts:
                meta = {
                    "chartId": numbers[chart.title],
                    "uuid": identifier_of("chart", chart.title),
                    "sliceName": chart.title,
                    "width": chart.width,
                    "height": chart.height,
                }
                add("CHART", f"CHART-{word(tab.title)}-{word(chart.title)}", row, meta)
    return position


def _node(kind: str, key: str, children: list[str], parents: list[str]) -> Document:
    return {"type": kind, "id": key, "children": children, "parents": parents, "meta": {}}


def _filter(one: Filter, tabs: list[str], first: str | None) -> Document:
    target: Document = {}
    if one.dataset is not None:
        target = {"column": {"name": one.column}, "datasetUuid": identifier_of("dataset", one.dataset.name)}
    # A value and not Superset's "first item", which in another tab than the first counts only after "Apply filters".
    chosen: Document = {"extraFormData": {}, "filterState": {}, "ownState": {}}
    if first is not None:
        chosen["extraFormData"] = {"filters": [{"col": one.column, "op": "IN", "val": [first]}]}
        chosen["filterState"] = {"value": [first], "label": first}
    return {
        "id": f"NATIVE_FILTER-{word(one.name)}",
        "type": "NATIVE_FILTER",
        "filterType": "filter_time" if one.dataset is None else "filter_select",
        "name": one.name,
        "description": "",
        "cascadeParentIds": [],
        "controlValues": {
            "multiSelect": one.one_by is None,
            "enableEmptyFilter": one.one_by is not None,
            "defaultToFirstItem": False,
            "searchAllOptions": one.one_by is not None,
            "inverseSelection": False,
        },
        "defaultDataMask": chosen,
        "scope": {"rootPath": tabs, "excluded": []},
        "targets": [target],
    }


def _tab_key(tab: Tab) -> str:
    return f"TAB-{word(tab.title)}"
