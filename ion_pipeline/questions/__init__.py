"""Named questions: one SQL file each, with its title and its parameters in the first comments.

    -- Stock of a part by location
    -- $part: product, part number = PLT-STOCK

A parameter has a kind, a description and, after `=`, the example that docs/analysts.md prints. A line of the SQL that
ends with `-- if $part` makes the parameter optional: without a value, the line is left out. Values are bound by DuckDB
and never become part of the SQL.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

Kind = Literal["product", "supplier", "month", "unit", "lot", "part"]

_PARAMETER = re.compile(r"-- \$(?P<name>\w+): (?P<kind>\w+), (?P<help>.*?)(?: = (?P<example>.*))?")
_ONLY_IF = re.compile(r" -- if \$(\w+)$")
_UNIT = "(select part_inventory_id from reference.part_inventories where serial_number = {})"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question.

    Attributes:
        name: Its name in the SQL, without the `$`.
        kind: product (a part number); supplier; month (its first day); unit (its part inventory id); lot, and part (the
            part that has this lot).
        help: What it means.
        example: The value that the document uses; None if the document leaves it out.
        is_optional: Whether the question can be asked without it.
    """

    name: str
    kind: Kind
    help: str
    example: str | None
    is_optional: bool

    @property
    def literal(self) -> str:
        """The example as SQL."""
        text = "'" + (self.example or "").replace("'", "''") + "'"
        if self.kind == "month":
            return f"date '{self.example}-01'"
        return _UNIT.format(text) if self.kind == "unit" else text


@dataclass(frozen=True, slots=True)
class Question:
    """A question with a name.

    Attributes:
        name: Its name on the command line.
        title: Its heading in docs/analysts.md.
        parameters: What it asks for, in order.
        sql: The SQL with its parameters and the marks of optional lines.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    sql: str

    def select(self, given: Collection[str]) -> str:
        """The SQL to execute if these parameters have a value: `$name` takes the place of each value."""
        lines = ((line, _ONLY_IF.search(line)) for line in self.sql.splitlines())
        return "\n".join(_ONLY_IF.sub("", line) for line, mark in lines if mark is None or mark[1] in given)

    def printed(self) -> str:
        """The SQL with the examples in place of the parameters, as in docs/analysts.md."""
        examples = {parameter.name: parameter.literal for parameter in self.parameters if parameter.example is not None}
        return re.sub(r"\$(\w+)", lambda found: examples[found[1]], self.select(examples))

    def command(self) -> str:
        """The command line that asks it with the examples."""
        words = ["ion-pipeline", "ask", self.name]
        for parameter in self.parameters:
            if parameter.example is not None and parameter.kind != "part":
                quoted = f"'{parameter.example}'" if " " in parameter.example else parameter.example
                words += [f"--{parameter.name}", quoted]
        return " ".join(words)


def questions() -> dict[str, Question]:
    """All questions by name, in the order of their names.

    Raises:
        ValueError: The head of a file is not as described above.
    """
    folder = files("ion_pipeline.questions").joinpath("sql")
    texts = {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    return {name: _question(name, text) for name, text in sorted(texts.items())}


def _question(name: str, text: str) -> Question:
    head, _, sql = text.partition("\n\n")
    title, *declared = head.splitlines()
    optional = set(re.findall(r"-- if \$(\w+)$", sql, re.MULTILINE))
    parameters = []
    for line in declared:
        found = _PARAMETER.fullmatch(line)
        if found is None or found["kind"] not in get_args(Kind):
            raise ValueError(f"{name}.sql: {line!r} does not declare a parameter")
        kind: Kind = found["kind"]  # type: ignore[assignment]  # checked above
        is_optional = found["name"] in optional or kind == "part"
        parameters.append(Parameter(found["name"], kind, found["help"], found["example"], is_optional))
    return Question(name, title.removeprefix("-- "), tuple(parameters), sql.rstrip("\n"))
