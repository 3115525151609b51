"""Many small questions about connections in one request: counts, and short lists of ids, under aliases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery
from ion_pipeline.client import (
    GraphQLError,
    IonClient,
    PartialDataError,
    PermissionDeniedError,
    RequestTimeoutError,
    TooMuchError,
)
from ion_pipeline.client.parts import Part
from ion_pipeline.task_group import task_group

# Seventy entities with two counts each are one request.
_QUESTIONS_PER_REQUEST = 200
_ROWS_PER_REQUEST = 5000


@dataclass(frozen=True, slots=True)
class Question:
    """How many rows of an entity match, and some fields of the first of them.

    Attributes:
        plan: The entity.
        query: Its documents and what its connection takes.
        filters: Which rows; None for all.
        fields: Fields of the rows to give; none for the count alone.
        first: Rows to give; as many as the tenant accepts at once where that is less.
    """

    plan: EntityPlan
    query: EntityQuery
    filters: Mapping[str, Any] | None = None
    fields: tuple[str, ...] = ()
    first: int = 1

    @property
    def rows(self) -> int:
        """Rows that may come."""
        return self.first if self.fields else 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What ION says to a question.

    Attributes:
        total: Rows that match.
        nodes: The fields asked for, of as many rows as asked for, or as the tenant gives at once if that is less.
        asked: Rows asked for.
    """

    total: int
    nodes: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 1

    @property
    def is_whole(self) -> bool:
        """Every row that matches came."""
        return len(self.nodes) >= self.total


async def ask(client: IonClient, questions: Sequence[Question], *, about: str) -> list[Reply | None]:
    """Ask, in as few requests as the answers' size allows.

    Args:
        client: The tenant.
        questions: In any number.
        about: What it is for, as error messages name it.

    Returns:
        A reply to each question; None where the API key may not read the entity.

    Raises:
        UnexpectedAnswerError: An answer is not what was asked for; ids are whole numbers.
        IonApiError: After the client's retries, and after asking for less where ION runs out of time.
    """
    async with task_group() as group:
        tasks = [group.create_task(_ask(client, batch, about)) for batch in _batches(questions)]
    return [reply for task in tasks for reply in task.result()]


async def _ask(client: IonClient, questions: list[Question], about: str) -> list[Reply | None]:
    limit = client.page_limit
    questions = [replace(one, first=min(one.first, limit.rows)) for one in questions]
    most = max(question.first for question in questions)
    document, variables = document_of(questions)
    try:
        data = await client.execute(document, variables, operation=about)
    except (RequestTimeoutError, PermissionDeniedError, PartialDataError, GraphQLError) as refusal:
        if isinstance(refusal, TooMuchError) and refusal.of_rows and most > 1:
            smaller = refusal.smaller(most)
            replies = await _ask(client, [replace(one, first=min(one.first, smaller)) for one in questions], about)
            limit.learn(max((reply.asked for reply in replies if reply), default=smaller))
            return replies
        if len(questions) > 1:
            # Too much at once, or one entity of many that may not be read.
            middle = len(questions) // 2
            halves = [await _ask(client, half, about) for half in (questions[:middle], questions[middle:])]
            return [*halves[0], *halves[1]]
        if isinstance(refusal, PermissionDeniedError):
            return [None]
        if isinstance(refusal, TooMuchError | RequestTimeoutError) and most > 1:
            return await _ask(client, [replace(questions[0], first=max(1, most // 2))], about)
        raise
    answer = Part(data, about)
    given = [
        _reply(answer.part(f"q{number}", shown=question.plan.entity.root_field), question)
        for number, question in enumerate(questions)
    ]
    for question, reply in zip(questions, given, strict=True):
        if question.fields:
            limit.came(reply.asked, len(reply.nodes), has_next=not reply.is_whole)
    return [*given]


def document_of(questions: Iterable[Question]) -> tuple[str, dict[str, Any]]:
    """The document and its variables; values travel as variables only."""
    declared, lines, variables = [], [], {}
    for number, question in enumerate(questions):
        arguments = f"first: {question.first}"
        if question.filters is not None:
            declared.append(f"$f{number}: {question.query.filters_type}")
            variables[f"f{number}"] = question.filters
            arguments += f", filters: $f{number}"
        nodes = f" edges {{ node {{ {' '.join(question.fields)} }} }}" if question.fields else ""
        root_field = question.plan.entity.root_field
        lines.append(f"  q{number}: {root_field}({arguments}) {{ pageInfo {{ totalCount }}{nodes} }}")
    head = f"query several({', '.join(declared)})" if declared else "query several"
    return "\n".join([f"{head} {{", *lines, "}"]) + "\n", variables


def _batches(questions: Sequence[Question]) -> Iterator[list[Question]]:
    batch: list[Question] = []
    for question in questions:
        rows = sum(one.rows for one in batch) + question.rows
        if batch and (len(batch) == _QUESTIONS_PER_REQUEST or rows > _ROWS_PER_REQUEST):
            yield batch
            batch = []
        batch.append(question)
    if batch:
        yield batch


def _reply(connection: Part, question: Question) -> Reply:
    total = connection.part("pageInfo").part("totalCount").count()
    if not question.fields:
        return Reply(total, asked=question.first)
    nodes = connection.part("edges").elements().each("node")
    for selected in question.fields:
        name, *inner = selected.replace("{", " ").replace("}", " ").split()
        values = nodes.each(name)
        if name == "id":
            values.whole_numbers()
        elif inner:
            for rows in values.lists():
                for part in inner:
                    rows.each(part).scalars()
        else:
            values.scalars()
    return Reply(total, nodes.objects(), question.first)
