"""`ion-pipeline ask`: named questions of the published file, each a command with its parameters as options."""

import inspect
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from ion_pipeline.counting import plural
from ion_pipeline.plain import csv_line
from ion_pipeline.questions import Parameter, Question, questions
from ion_pipeline.terminal.age import data_line
from ion_pipeline.terminal.frame import command_settings, emit, err, out, warn

_ROWS = 500


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


ask = typer.Typer(
    help="Answer a named question from the published file. Its SQL, and more questions, are in docs/analysts.md.\n\n"
    "Names match in any case; several hits are listed. Exit codes: 1 if there is no such name or no published file, "
    "2 if a name has several meanings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _command(question: Question) -> Callable[..., None]:
    def run(context: typer.Context, **given: Any) -> None:
        form, most = given.pop("format"), given.pop("rows")
        _answer(context, question, given, form, most)

    options: dict[str, tuple[Any, Any]] = {
        parameter.name: (_annotation(parameter), None if parameter.is_optional else inspect.Parameter.empty)
        for parameter in question.parameters
    }
    options["format"] = (
        Annotated[Format, typer.Option(help="table, json or csv; json and csv have all rows.")],
        "table",
    )
    options["rows"] = (Annotated[int, typer.Option(min=1, help="Most rows of a table; the rest is counted.")], _ROWS)
    arguments = [inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    arguments += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in options.items()
    ]
    run.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    run.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    run.__doc__ = question.title
    return run


def _annotation(parameter: Parameter) -> Any:
    text = parameter.help[0].upper() + parameter.help[1:] + "."
    option = typer.Option(f"--{parameter.name}", help=text, show_default=False)
    return Annotated[str | None, option] if parameter.is_optional else Annotated[str, option]


def _short(question: Question) -> str:
    """The title and the parameters, for the list of questions; those in brackets can be left out."""
    options = [
        f"[--{parameter.name}]" if parameter.is_optional else f"--{parameter.name}" for parameter in question.parameters
    ]
    return " ".join([question.title, *options])


def _answer(context: typer.Context, question: Question, given: dict[str, str | None], form: Format, most: int) -> None:
    from ion_pipeline.pipeline.resources import resources_of
    from ion_pipeline.publish.read import open_published
    from ion_pipeline.questions.asking import ask as put
    from ion_pipeline.terminal.answers import answer_view

    settings = command_settings(context, tenant=False)
    with open_published(settings.published_dir, resources_of(settings)) as (connection, path):
        answer = put(connection, path, question, given)
    for sentence in answer.warnings:
        warn(f"INCOMPLETE. {sentence}")
    if form is Format.CSV:
        sys.stdout.write("".join(f"{csv_line(row)}\n" for row in (answer.columns, *answer.rows)))
        err.print(data_line(answer.read_at))
        return

    def human() -> None:
        out.print(question.title)
        if answer.rows:
            out.print(answer_view(answer.columns, answer.rows[:most]))
        count = len(answer.rows)
        out.print(f"{plural(count, 'row')}.")
        if count > most:
            out.print(f"ONLY THE FIRST {most:,} ARE SHOWN, {count - most:,} ARE LEFT OUT: use --rows or --format csv.")
        out.print(data_line(answer.read_at))

    document = {
        "question": question.title,
        "parameters": answer.bound,
        "data_as_of": answer.read_at,
        "warnings": answer.warnings,
        "rows": [dict(zip(answer.columns, row, strict=True)) for row in answer.rows],
    }
    emit(document, as_json=form is Format.JSON, human=human)


for _question in questions().values():
    ask.command(_question.name, short_help=_short(_question), epilog=f"Example: {_question.command()}")(
        _command(_question)
    )
