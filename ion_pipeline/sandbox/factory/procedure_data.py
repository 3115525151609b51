"""Work instructions as constant data: steps, fields and limits."""

from dataclasses import dataclass

Limits = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a step.

    Attributes:
        limits: Names of validation functions, each with its limit.
        nominal: Mean of the measured values; `spread` is their standard deviation.
    """

    name: str
    type: str
    unit: str | None = None
    limits: Limits = ()
    nominal: float = 0.0
    spread: float = 0.0
    options: tuple[str, ...] = ()
    required: bool = True
    allow_not_applicable: bool = False


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step of a procedure.

    Attributes:
        upstream: Positions (from 0) of the steps that must be done before; several steps after one step are parallel.
        parent: Position of the step in which it is nested.
        installs: Whether components are installed in this step.
        standard: Name of the standard step from which it is derived.
        columns: Columns of a datagrid step: (header, type).
    """

    title: str
    fields: tuple[FieldSpec, ...] = ()
    upstream: tuple[int, ...] = ()
    parent: int | None = None
    installs: bool = False
    standard: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    optional: bool = False


def measured(name: str, unit: str, low: float | None, high: float | None, *, strict: bool = False) -> FieldSpec:
    """A NUMBER field with a lower limit, an upper one or both, and values well within them."""
    floor, ceiling = ("greater than", "less than") if strict else ("at least", "at most")
    limits: Limits = ()
    if low is not None:
        limits += ((floor, low),)
    if high is not None:
        limits += ((ceiling, high),)
    if low is not None and high is not None:
        nominal, spread = (low + high) / 2, (high - low) / 10
    elif low is not None:
        nominal, spread = low * 1.6, low * 0.1
    else:
        nominal = (high or 0.0) * 0.5
        spread = nominal * 0.15
    return FieldSpec(name, "NUMBER", unit, limits, nominal, spread)


KIT_FIELDS = (FieldSpec("Kit complete", "BOOLEAN"), FieldSpec("Kit barcode", "STRING", required=False))
_SIGN = (
    FieldSpec("Finish", "SELECT", options=("as drawn", "minor marks", "see issue")),
    FieldSpec("Seen", "MULTISELECT", options=("scratch", "dent", "FOD", "nothing"), allow_not_applicable=True),
    FieldSpec("Inspector", "SIGNOFF"),
)
_TORQUE = measured("Torque", "N·m", 8.5, 9.5)

PROCEDURES: dict[str, tuple[str, str, tuple[StepSpec, ...]]] = {
    "assemble": ("Assemble and test", "BUILD", (
        StepSpec("Verify kit", KIT_FIELDS, standard="Verify kit"),
        StepSpec("Assemble", (FieldSpec("Torque wrench", "TOOL"),), upstream=(0,), installs=True),
        StepSpec("Apply torque", (_TORQUE,), parent=1),
        StepSpec("Witness mark", (FieldSpec("Mark visible", "BOOLEAN"),), parent=1, optional=True),
        StepSpec("Leak test", (measured("Leak rate", "Pa·m³/s", None, 0.001, strict=True),), upstream=(1,)),
        StepSpec("Insulation", (measured("Resistance", "MΩ", 100.0, None),), upstream=(1,)),
        StepSpec("Inspect and sign", _SIGN, upstream=(4, 5)),
    )),
    "integrate": ("Integrate and accept", "BUILD", (
        StepSpec("Verify kit", KIT_FIELDS, standard="Verify kit"),
        StepSpec("Integrate", (FieldSpec("Started on", "DATETIME"), FieldSpec("Drawing", "ION")), upstream=(0,),
                 installs=True),
        StepSpec("Mass", (measured("Mass", "kg", 40.0, 48.0),), upstream=(1,)),
        StepSpec("Acceptance test", (
            measured("Response", "mm", None, 0.8), measured("Temperature", "°C", 15.0, 25.0),
            FieldSpec("Signature curve", "NUMBER", "mm", (("is golden-sample-like", 1.0),), 1.0, 0.02),
            FieldSpec("Test data", "FILE_ATTACHMENT", required=False),
        ), upstream=(1,)),
        StepSpec("Accept and sign", _SIGN, upstream=(2, 3)),
    )),
    "machine": ("Machine and measure", "BUILD", (
        StepSpec("Set up", (FieldSpec("Program", "STRING"),), installs=True),
        StepSpec("Machine", upstream=(0,)),
        StepSpec("Measure", (measured("Bore diameter", "mm", 24.98, 25.02), measured("Runout", "mm", None, 0.03)),
                 upstream=(1,)),
        StepSpec("Clean", standard="Clean", upstream=(2,), optional=True),
    )),
    "board": ("Populate and test board", "BUILD", (
        StepSpec("Populate", (FieldSpec("Paste lot", "STRING"),), installs=True),
        StepSpec("Functional test", upstream=(0,),
                 columns=(("Net", "STRING"), ("Voltage", "NUMBER"), ("Pass", "BOOLEAN"))),
        StepSpec("Burn-in", (measured("Hours", "each", 48.0, 52.0), FieldSpec(
            "Retries", "NUMBER", "each", (("equal", 0.0), ("not equal", 99.0)), 0.0, 0.0)), upstream=(1,)),
    )),
    "lot": ("Make a lot", "BUILD", (
        StepSpec("Make", (FieldSpec("Machine", "STRING"),), installs=True),
        StepSpec("Sample check", (measured("Sample dimension", "mm", 3.9, 4.1, strict=True),), upstream=(0,)),
    )),
    "receive": ("Receiving inspection", "INSPECTION", (
        StepSpec("Check papers", (FieldSpec("Certificate", "FILE_ATTACHMENT", required=False),)),
        StepSpec("Sample", (measured("Sample size", "each", 1.0, None), FieldSpec("Accepted", "BOOLEAN")),
                 upstream=(0,)),
    )),
    "maintain": ("Calibrate tool", "MAINTENANCE", (
        StepSpec("Calibrate", (measured("Deviation", "N·m", -0.2, 0.2),)),
    )),
}  # fmt: skip

#: Standard steps: name, fields, and the states of the versions in order.
STANDARD_STEPS: tuple[tuple[str, tuple[FieldSpec, ...], tuple[str, ...]], ...] = (
    ("Verify kit", KIT_FIELDS, ("ARCHIVED", "RELEASED", "DRAFT")),
    ("Clean", (), ("RELEASED", "IN_REVIEW")),
)
