"""Reference data that a tenant sets up once: people, locations, suppliers and vocabularies."""

from dataclasses import dataclass, field
from datetime import date

from ion_pipeline.sandbox.factory.clock import at
from ion_pipeline.sandbox.factory.store import Row, Store
from ion_pipeline.sandbox.factory.text import AWKWARD

# ruff: noqa: RUF001  people's names contain such characters
_SETUP = date(2024, 3, 4)
_PEOPLE: tuple[tuple[str, str], ...] = (
    ("Ada Administrator", "admin"), ("Björn Ångström", "operator"), ("Chiara D'Amico", "operator"),
    ("大田 健", "operator"), ("Dmitri O’Neill", "operator"), ("Esperança Núñez", "operator"),
    ("فاطمة الزهراء", "operator"), ("Gül Yıldız", "inspector"), ("Hana Nováková", "inspector"),
    ("Ivo \"Ike\" Petrov", "engineer"), ("Jürgen Weiß", "engineer"), ("Kwame Mensah", "engineer"),
    ("Lærke Sørensen", "buyer"), ("Mai Nguyễn", "buyer"), ("Noa לוי", "planner"), ("Former Employee", "operator"),
    ("ION Bot", "bot"),
)  # fmt: skip
_TEAMS = ("Assembly", "Test", "Quality", "Engineering", "Supply chain", "")
_ROLES = ("Administrator", "Operator", "Inspector", "Engineer", "Buyer", "Planner")
_UNITS = ("each", "kg", "m", "mm", "N·m", "°C", "Pa·m³/s", "MΩ")
_LABELS = ("flight", "qualification", "development", "urgent", "customer: Ørsted", "🔥 hot", "rework", "", "RTL עברית")
_SUBTYPES = ("assembly", "machined", "electrical", "mechanical", "hardware", "raw", "chemical")
_SUPPLIERS = (
    ("Alloy & Sons", "raw"), ("Boulonnerie de l'Étoile", "hardware"), ("Circuit City GmbH", "electrical"),
    ("Drehtechnik Müller KG", "mechanical"), ("Epoxy, Inc. \"The Glue People\"", "chemical"),
    ("富士精密株式会社", "mechanical"), ("Generic Hardware Co.", "hardware"), ("Hidden Supplier", "electrical"),
)  # fmt: skip
_DISPOSITIONS = (
    ("Scrap", True), ("Rework to drawing", True), ("Repair", True), ("Use as is", True), ("Return to vendor", True),
    ("Regrade", True), ("Send to Museum 🏛", True), ("Scrap (old form)", False),
)  # fmt: skip
#: The names of ION's validation functions are not published; the last one represents functions that no mapping knows.
FUNCTIONS: tuple[tuple[str, str], ...] = (
    ("greater than", ">"), ("at least", "≥"), ("less than", "<"), ("at most", "≤"), ("equal", "="),
    ("not equal", "≠"), ("is golden-sample-like", "≈ golden"),
)  # fmt: skip


@dataclass
class Reference:
    """Ids (or rows) of the reference data, by name."""

    people: dict[str, list[int]] = field(default_factory=dict)
    teams: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    subtypes: dict[str, int] = field(default_factory=dict)
    suppliers: dict[str, Row] = field(default_factory=dict)
    supplier_of: dict[str, list[int]] = field(default_factory=dict)
    dispositions: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    locations: dict[str, Row] = field(default_factory=dict)
    workcenters: list[int] = field(default_factory=list)
    shelves: list[int] = field(default_factory=list)
    location_subtypes: dict[str, int] = field(default_factory=dict)
    requirements: list[int] = field(default_factory=list)

    @property
    def admin(self) -> int:
        """The user who created the reference data."""
        return self.people["admin"][0]


def build_reference(store: Store) -> Reference:
    """Creates all reference data."""
    ref = Reference()
    _people(store, ref)
    _vocabularies(store, ref)
    _suppliers(store, ref)
    _places(store, ref)
    return ref


def _people(store: Store, ref: Reference) -> None:
    when = at(_SETUP)
    for name in _ROLES:
        ref.roles[name] = store.add("roles", when, None, name=name)["id"]
    for number, (name, kind) in enumerate(_PEOPLE, 1):
        role = ref.roles.get(kind.capitalize(), ref.roles["Operator"])
        user = store.add(
            "users", when, 1, name=name, email=f"user{number:02d}@factory.example" if kind != "bot" else None,
            organizationId=1, deactivated=name.startswith("Former"), enforceMfa=number % 2 == 0, ionBot=kind == "bot",
            notificationEmailsEnabled=number % 3 == 0, isAdmin=kind == "admin",
            roles=[{"id": ref.roles["Administrator"] if kind == "admin" else role}],
        )  # fmt: skip
        if not user["deactivated"]:
            ref.people.setdefault(kind, []).append(user["id"])
    members = {
        "Assembly": ref.people["operator"], "Test": ref.people["operator"][-2:], "Quality": ref.people["inspector"],
        "Engineering": ref.people["engineer"], "Supply chain": ref.people["buyer"] + ref.people["planner"], "": [],
    }  # fmt: skip
    for name in _TEAMS:
        users = members[name]
        team = store.add(
            "teams", when, ref.admin, name=name, supervisorId=users[0] if users else None,
            users=[{"id": user} for user in users], roles=[{"id": ref.roles["Operator"]}] if users else [],
        )  # fmt: skip
        ref.teams[name] = team["id"]


def _vocabularies(store: Store, ref: Reference) -> None:
    when, by = at(_SETUP, 9), ref.admin
    for kind in _UNITS:
        ref.units[kind] = store.add("unitsOfMeasurement", when, by, type=kind)["id"]
    for kind in ("USD", "EUR", "JPY"):
        ref.currencies[kind] = store.add("currencies", when, by, type=kind)["id"]
    for value in _LABELS:
        ref.labels[value] = store.add("labels", when, by, value=value)["id"]
    for name in _SUBTYPES:
        ref.subtypes[name] = store.add("partSubtypes", when, by, name=name, description=f"{name} parts")["id"]
    for title, active in _DISPOSITIONS:
        row = store.add(
            "issueDispositionTypes", when, by, title=title, active=active, description=title if active else ""
        )
        ref.dispositions[title] = row["id"]
        for gate in ("IN_PROGRESS", "RESOLVED"):
            store.add("issueDispositionTypeRoles", when, by, count=1, issueDispositionTypeId=row["id"],
                      issueApprovalGateType=gate, roleId=ref.roles["Inspector"])  # fmt: skip
    for name, shown in FUNCTIONS:
        ref.functions[name] = store.add("validationFunctions", when, None, functionName=name, displayName=shown)["id"]
    for number, text in enumerate(("Certificate of conformance", "First article inspection", "Net 30", "DPAS DO-A7")):
        row = store.add(
            "requirements", when, by, referenceName=f"QC-{number:02d}", title=text,
            requirementType="TERMS_AND_CONDITIONS" if number == 2 else "QUALITY_CLAUSE",
            content=[{"type": "paragraph", "children": [{"text": AWKWARD[number]}]}],
        )  # fmt: skip
        ref.requirements.append(row["id"])


def _suppliers(store: Store, ref: Reference) -> None:
    for number, (name, kind) in enumerate(_SUPPLIERS):
        row = store.add(
            "suppliers", at(_SETUP, 10), ref.admin, name=name, description=None if number % 2 else AWKWARD[number],
            phoneNumber=f"+1 555 01{number:02d}", address=f"{number} Rue de l'Usine\nZürich" if number % 3 else "",
            email=f"sales@supplier{number}.example", contactName=f"Contact {number}",
            labels=[{"id": ref.labels["flight"]}] if number % 2 == 0 else [],
        )  # fmt: skip
        ref.suppliers[name] = row
        ref.supplier_of.setdefault(kind, []).append(row["id"])


def _places(store: Store, ref: Reference) -> None:
    when, by = at(_SETUP, 11), ref.admin
    for name in ("clean", "dirty", "bonded", "outdoor"):
        ref.location_subtypes[name] = store.add("locationSubtypes", when, by, name=name, description=f"{name} area")[
            "id"
        ]
    contact = store.add("contacts", when, by, name="Night shift gate", email="gate@factory.example", phoneNumber=None)

    def place(name: str, kind: str, parent: Row | None, **more: object) -> Row:
        row = store.add(
            "locations", when, by, name=name, type=kind, parentId=parent["id"] if parent else None,
            available=more.pop("available", True), archived=more.pop("archived", False), **more,
        )  # fmt: skip
        ref.locations[name] = row
        return row

    for site, (latitude, longitude) in {"Plant 1": (47.3769, 8.5417), "Plant 2": (-33.8688, 151.2093)}.items():
        warehouse = place(site, "WAREHOUSE", None, address="1 Factory Road", latitude=latitude, longitude=longitude,
                          contactId=contact["id"], supervisorId=ref.people["planner"][0])  # fmt: skip
        for rack_number in range(1, 4):
            rack = place(f"{site} rack {rack_number}", "RACK", warehouse,
                         locationSubtypeId=ref.location_subtypes["clean"])  # fmt: skip
            for shelf_number in range(1, 4):
                shelf = place(f"{rack['name']} shelf {shelf_number}", "SHELF", rack)
                ref.shelves.append(shelf["id"])
                if shelf_number == 1:
                    place(f"{shelf['name']} tote", "TOTE", shelf, description="blue tote")
        for number, kind in enumerate(("assembly bench", "mill", "clean room", "test stand"), 1):
            row = place(f"{site} {kind}", "WORKCENTER", warehouse, description=f"work centre {number}")
            ref.workcenters.append(row["id"])
    place("Quarantine cage", "SHELF", ref.locations["Plant 1 rack 1"], available=False,
          locationSubtypeId=ref.location_subtypes["bonded"])  # fmt: skip
    place("Old shed", "WAREHOUSE", None, archived=True, available=False, description="")
