"""All part numbers, in the order of their bills of material, and how much of each is used in a product."""

from ion_pipeline.sandbox.factory.bought_parts import BOUGHT
from ion_pipeline.sandbox.factory.made_parts import ARM, AVIONICS, ENGINE
from ion_pipeline.sandbox.factory.part_spec import PartSpec

PARTS: dict[str, PartSpec] = {spec.number: spec for spec in (*BOUGHT, *ENGINE, *AVIONICS, *ARM)}

#: End products, in the order they are started.
PRODUCTS: tuple[str, ...] = ("ENG-1000", "AV-2000", "RA-3000")


def children_first() -> list[PartSpec]:
    """All parts, each after the parts in its bill of material."""
    order: dict[str, PartSpec] = {}

    def visit(number: str) -> None:
        if number in order:
            return
        for line in PARTS[number].lines:
            for part in (line.part, *line.substitutes):
                visit(part)
        order[number] = PARTS[number]

    for number in PARTS:
        visit(number)
    return list(order.values())


def use_per_product() -> dict[str, float]:
    """Pieces of each part that one of each product contains, over the complete trees."""
    use: dict[str, float] = dict.fromkeys(PARTS, 0.0)

    def add(number: str, pieces: float) -> None:
        use[number] += pieces
        for line in PARTS[number].lines:
            add(line.part, pieces * line.quantity)

    for product in PRODUCTS:
        add(product, 1.0)
    return use
