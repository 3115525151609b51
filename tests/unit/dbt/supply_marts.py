"""Marts below those of supply, from a random world, for tests that run models without dbt."""

from tests.oracle.bom import Bom
from tests.oracle.clear_to_build import promised
from tests.oracle.world import Row, World


def supply_marts(world: World, due: list[Row]) -> dict[str, tuple[str, list[Row]]]:
    """The marts that other tests cover, columns and rows by name.

    Args:
        world: The tenant.
        due: What is due and received of its order lines, from the oracle.
    """
    names = {row["id"]: row["type"] for row in world["unitsOfMeasurement"]}
    bom = Bom.of(world, "both")
    parts = {row["id"]: row for row in world["parts"]}
    families: dict[str | None, int] = {}
    lines = {row["id"]: row for row in world["purchaseOrderLines"]}
    orders = {row["id"]: row for row in world["purchaseOrders"]}

    currencies = {row["id"]: row["type"] for row in world["currencies"]}
    currency_of = {key: order.get("currencyId") for key, order in orders.items()}

    def is_ordered(line: int) -> bool:
        order = orders[lines[line]["purchaseOrderId"]]
        return lines[line]["status"] not in {"DRAFT", "CANCELED"} and order["status"] != "CANCELED"

    return {
        "parts": (
            "part_id bigint, part_number varchar, part_revision varchar, part_description varchar, "
            "revision_family_id bigint, is_latest_revision boolean, unit_of_measure varchar, "
            "is_export_controlled boolean",
            [
                {
                    "part_id": row["id"],
                    "part_number": row["partNumber"],
                    "part_revision": row["revision"],
                    "revision_family_id": families.setdefault(bom.family(row["id"]), row["id"]),
                    "unit_of_measure": names.get(row["unitOfMeasureId"]),
                    "is_export_controlled": False,
                }
                for row in world["parts"]
            ],
        ),
        "part_inventories": (
            "part_inventory_id bigint, part_id bigint, serial_number varchar, lot_number varchar, status varchar, "
            "quantity double, quantity_installed double, quantity_available double, unit_of_measure varchar, "
            "is_export_controlled boolean",
            [
                {
                    "part_inventory_id": row["id"],
                    "part_id": row["partId"],
                    "status": row["status"],
                    "quantity": row["quantity"],
                    "quantity_installed": row["quantityInstalled"],
                    "quantity_available": row["quantityAvailable"],
                    "unit_of_measure": names.get(row["unitOfMeasureId"])
                    or names.get(parts.get(row["partId"], {}).get("unitOfMeasureId")),
                }
                for row in world["partInventories"]
            ],
        ),
        "purchase_order_lines": (
            "purchase_order_line_id bigint, purchase_order_id bigint, part_id bigint, status varchar, "
            "quantity_due double, quantity_received double, promised_at timestamptz, is_ordered boolean, "
            "is_closed boolean, cost double, currency varchar, quantity_ordered double, is_export_controlled boolean",
            [
                {
                    **row,
                    "purchase_order_id": lines[row["purchase_order_line_id"]]["purchaseOrderId"],
                    "part_id": lines[row["purchase_order_line_id"]]["partId"],
                    "currency": currencies.get(currency_of[lines[row["purchase_order_line_id"]]["purchaseOrderId"]]),
                    "status": lines[row["purchase_order_line_id"]]["status"],
                    "is_ordered": is_ordered(row["purchase_order_line_id"]),
                    "cost": lines[row["purchase_order_line_id"]]["cost"],
                    "quantity_ordered": lines[row["purchase_order_line_id"]]["quantity"],
                    "promised_at": promised(
                        lines[row["purchase_order_line_id"]],
                        orders[lines[row["purchase_order_line_id"]]["purchaseOrderId"]],
                    ),
                }
                for row in due
            ],
        ),
    }
