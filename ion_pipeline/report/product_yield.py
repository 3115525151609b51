"""The yield of each product and its steps against the month before, with filters: a part of the section on yield."""

from ion_pipeline.counting import plural
from ion_pipeline.report import numbers
from ion_pipeline.report.layout import collapsible, note
from ion_pipeline.report.markup import Child, Markup, tag
from ion_pipeline.report.model import ProductYield, Report

_COLUMNS = ("Product", "Step", "Yield", "Passed first", "Month before", "Change", "Not passed first")
_NUMERIC = range(2, 6)


def product_yields(report: Report) -> Markup:
    """A table with one row per product and one per step of it; `report.js` filters it by product and by what fell.

    Without the script, all rows are shown.
    """
    rows = report.yield_by_product
    month = report.yield_by_month[-1].start_on
    left_out = report.products_left_out
    products = {product: place for place, product in enumerate(dict.fromkeys(row.product for row in rows))}
    return collapsible(
        "By product and step",
        tag("p", f"NOT ALL IS SHOWN: {plural(left_out, 'row')} that lost less are left out; "
                 "`ion-pipeline ask yield-change` has them.", class_="open") if left_out else None,
        _filters(products),
        tag(
            "div",
            tag("table", tag("thead", tag("tr", [
                tag("th", name, scope="col", class_="number" if place in _NUMERIC else None)
                for place, name in enumerate(_COLUMNS)
            ])), tag("tbody", [_row(row, products[row.product]) for row in rows])),
            class_="scroll", id="yield-products", tabindex=0, role="region",
            aria_label=f"First pass yield by product and step in {month:%Y-%m}",
        ),
        note(
            f"{month:%Y-%m} and the month before. Not passed first: the first reason that applies. Products are "
            "ordered by the quantity that did not pass first."
        ),
    )  # fmt: skip


def _filters(products: dict[str, int]) -> Markup:
    options = [tag("option", "All products", value="")]
    options += [tag("option", product, value=str(place)) for product, place in products.items()]
    return tag(
        "p",
        tag("label", "Product", for_="yield-part"), " ", tag("select", options, id="yield-part"), " ",
        tag("input", type="checkbox", id="yield-fell"), " ", tag("label", "only what fell", for_="yield-fell"), " ",
        tag("output", id="yield-shown", class_="quiet"),
        id="yield-filter", hidden=True,
    )  # fmt: skip


def _row(row: ProductYield, product: int) -> Markup:
    change = row.change
    cells: list[Child] = [
        row.step or "all steps",
        numbers.percent(row.first_pass),
        numbers.fraction(row.first_pass),
        numbers.percent(row.before),
        numbers.DASH if change is None else f"{change:+.1f}",
        ", ".join(f"{reason} {numbers.count(quantity)}" for reason, quantity in row.reasons),
    ]
    return tag(
        "tr",
        tag("th", row.product, scope="row"),
        [tag("td", cell, class_="number" if place in _NUMERIC else None) for place, cell in enumerate(cells, start=1)],
        data_part=str(product),
        data_fell="yes" if change is not None and change < 0 else None,
        data_step=None if row.step is None else "yes",
    )
