"""Parts and tools that the factory buys, as data."""

from typing import Any

from ion_pipeline.sandbox.factory.part_spec import PartSpec, Tracking


def _buy(number: str, description: str, tracking: Tracking | None, cost: float, lot: int, **more: Any) -> PartSpec:
    return PartSpec(number, description, tracking, cost, lot=lot, **more)


BOUGHT = (
    _buy("HW-0008", "Bolt M8x30 A286", "LOT", 4.2, 500, revisions=2),
    _buy("HW-0009", "Bolt M8x30 MP35N", "LOT", 9.8, 200),
    _buy("HW-0021", "Screw M4x12 A2", None, 0.12, 1000, lead_days=7),
    _buy("HW-0022", "Screw M4x14 A2", "LOT", 0.14, 500, lead_days=7),
    _buy("LBL-0001", "Identification label", None, 0.4, 100, lead_days=5),
    _buy("DOC-0001", "Build record folder", None, 2.0, 50, lead_days=5),
    _buy("SEAL-0011", "O-ring AS568-011", "LOT", 1.9, 200, revisions=2),
    _buy("SEAL-0012", "O-ring AS568-011 FFKM", "LOT", 44.0, 60),
    _buy("SEAL-0042", "Shaft seal", "LOT", 120.0, 60),
    _buy("BRG-0031", "Hybrid ball bearing", "SERIAL", 950.0, 8, lead_days=45, subtype="mechanical"),
    _buy("SOL-0007", "Solenoid 28 V", "SERIAL", 1_100.0, 6, lead_days=40, subtype="electrical"),
    _buy("GEAR-0080", "Strain wave gear 80:1", "SERIAL", 1_900.0, 5, lead_days=60, subtype="mechanical"),
    _buy("MAG-0014", "Magnet N42UH", "LOT", 6.1, 300, lead_days=50),
    _buy("IC-0301", "Memory die", "LOT", 88.0, 250, lead_days=70, subtype="electrical"),
    _buy("IC-0500", "Processor, radiation tolerant", "SERIAL", 6_400.0, 4, lead_days=70, subtype="electrical",
         export_controlled=True),
    _buy("IC-0501", "Processor, engineering grade", "SERIAL", 900.0, 3, lead_days=30, subtype="electrical"),
    _buy("RES-0103", "Resistor 10k 0.1%", "LOT", 0.3, 400, revisions=2, subtype="electrical"),
    _buy("RES-0104", "Resistor 10k 1%", "LOT", 0.05, 300, subtype="electrical"),
    _buy("CAP-0106", "Capacitor 10 uF X7R", "LOT", 0.7, 400, subtype="electrical"),
    _buy("PWR-0044", "Converter 28 V to 5 V", "SERIAL", 610.0, 6, subtype="electrical"),
    _buy("CONN-0009", "Connector, circular 9-way", "LOT", 75.0, 100, subtype="electrical"),
    _buy("WIRE-0022", "Wire AWG 22 PTFE", "LOT", 3.1, 200, unit="m", subtype="electrical"),
    _buy("WIRE-0030", "Magnet wire 0.3 mm", "LOT", 0.8, 300, unit="m", subtype="electrical"),
    _buy("RAW-0101", "Inconel 718 bar", "LOT", 140.0, 30, unit="kg", subtype="raw"),
    _buy("RAW-0110", "Aluminium 6061 plate", "LOT", 60.0, 40, subtype="raw"),
    _buy("RAW-0120", "Inconel 718 forging", "SERIAL", 4_100.0, 6, lead_days=90, subtype="raw"),
    _buy("RAW-0130", "C-103 blank", "SERIAL", 12_500.0, 3, lead_days=90, subtype="raw", export_controlled=True),
    _buy("RAW-0140", "Lamination", "LOT", 0.9, 900, subtype="raw"),
    _buy("CHEM-0101", "Grease, vacuum", "LOT", 410.0, 5, unit="kg", subtype="chemical"),
    _buy("CHEM-0201", "Silicide coating powder", "LOT", 980.0, 10, unit="kg", subtype="chemical"),
    _buy("CHEM-0301", "Potting compound", "LOT", 120.0, 4, unit="kg", subtype="chemical"),
)  # fmt: skip

#: Tools have a serial number and are maintained, but never installed.
TOOLS: tuple[tuple[str, str, int], ...] = (
    ("TOOL-0001", "Torque wrench 5-60 Nm", 6),
    ("TOOL-0002", "Coordinate measuring machine", 2),
    ("TOOL-0003", "Helium leak detector", 2),
)
