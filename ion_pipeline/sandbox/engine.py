"""Answers GraphQL requests from a store: parses, validates, coerces, compiles and answers.

graphql-core validates queries, coerces values and answers introspection; the compiled selection answers rows. Errors
that ION reports with status 200 are returned as `errors`; an error in the request itself (HTTP 400) is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_variable_values

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.compile import Compiler, Link
from ion_pipeline.sandbox.compile_connection import Path
from ion_pipeline.sandbox.connection import MatchCache, page
from ion_pipeline.sandbox.limits import Limits, selected_fields
from ion_pipeline.sandbox.lookup import current_user, find_row
from ion_pipeline.sandbox.model import connection_node, is_connection
from ion_pipeline.sandbox.relation_rules import RULES
from ion_pipeline.sandbox.relations import Relations
from ion_pipeline.sandbox.store import Store

_INTROSPECTION = ("__schema", "__type")


class BadRequestError(IonPipelineError):
    """The request is not a GraphQL request: HTTP 400."""


@dataclass
class Answer:
    """The answer to one operation.

    Attributes:
        body: `data` and `errors`, ready for JSON.
        rows: Root field → number of rows answered for it.
        limited: Whether the limits refused it, or cut a page short.
    """

    body: dict[str, Any]
    rows: dict[str, int] = field(default_factory=dict)
    limited: bool = False


@dataclass(frozen=True)
class Request:
    """An operation that graphql-core has validated, with coerced variables."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    roots: dict[str, list[FieldNode]]


class Engine:
    """Answers requests for the rows of a store according to a schema.

    Args:
        schema: The served schema, which may have fewer fields than the store.
        forbidden: Root connections that the caller may not read.
        limits: The limits on pages and requests.

    Attributes:
        limits: The same; they may be replaced at any time.
    """

    def __init__(
        self,
        store: Store,
        schema: GraphQLSchema,
        forbidden: frozenset[str] = frozenset(),
        limits: Limits | None = None,
    ) -> None:
        if schema.query_type is None:
            raise AssertionError("a served schema has a query type")
        self.store = store
        self.schema = schema
        self.limits = limits or Limits()
        self._query: GraphQLObjectType = schema.query_type
        self._forbidden = {store.model.roots[root]: root for root in forbidden}
        self._relations = Relations(store, RULES)
        self._matches = MatchCache()
        self._document = lru_cache(maxsize=512)(self._parse)
        self._introspected = lru_cache(maxsize=16)(self._introspect)

    def execute(self, payload: Any, link: Link | None = None) -> Answer:
        """Answers one request body.

        Args:
            payload: The body.
            link: Gives a new link to a file; without it, links are answered as the world has them.

        Raises:
            BadRequestError: It has no query, or its variables are not an object.
        """
        request = self.prepare(payload)
        if not isinstance(request, Request):
            return Answer({"errors": [error.formatted for error in request]})
        refusal = self.limits.refusal(self._page_sizes(request))
        if refusal is not None:
            return Answer({"data": None, "errors": [{"message": refusal}]}, limited=True)
        compiler = Compiler(self.schema, self._relations, request.fragments, request.variables, link)
        answer = Answer({"data": {}})
        for key, nodes in request.roots.items():
            try:
                answer.body["data"][key] = self._root(compiler, request, nodes, answer, payload)
            except GraphQLError as error:
                compiler.errors.append(GraphQLError(error.message, nodes, path=[key]))
                answer.body["data"][key] = None
        if compiler.errors:
            answer.body["errors"] = [error.formatted for error in compiler.errors]
        return answer

    def prepare(self, payload: Any) -> Request | list[GraphQLError]:
        """Parses, validates and coerces one request body, or returns the errors that GraphQL finds in it.

        Raises:
            BadRequestError: It has no query, or its variables are not an object.
        """
        if not isinstance(payload, Mapping) or not isinstance(payload.get("query"), str):
            raise BadRequestError("Must provide query string.")
        given = payload.get("variables") or {}
        if not isinstance(given, dict):
            raise BadRequestError("Variables must be provided as an Object.")
        document = self._document(payload["query"])
        if not isinstance(document, DocumentNode):
            return document
        operation = _operation(document, payload.get("operationName"))
        if isinstance(operation, GraphQLError):
            return [operation]
        variables = get_variable_values(self.schema, operation.variable_definitions or (), given)
        if isinstance(variables, list):
            return variables
        fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        roots = collect_fields(self.schema, fragments, variables, self._query, operation.selection_set)
        return Request(document, operation, fragments, variables, roots)

    def page_size(self, request: Request, node: FieldNode) -> int | None:
        """The `first` or `last` of a root connection; None if it asks for all rows."""
        compiler = Compiler(self.schema, self._relations, request.fragments, request.variables)
        arguments = compiler.arguments(self._query.fields[node.name.value], node)
        first: int | None = arguments.get("first")
        return arguments.get("last") if first is None else first

    def _page_sizes(self, request: Request) -> list[tuple[int | None, int]]:
        """The page size and the number of selected fields of each root connection."""
        sizes = []
        for nodes in request.roots.values():
            definition = self._query.fields.get(nodes[0].name.value)
            if definition is not None and is_connection(definition):
                fields = sum(selected_fields(node.selection_set, request.fragments) for node in nodes)
                sizes.append((self.page_size(request, nodes[0]), fields))
        return sizes

    def _parse(self, query: str) -> DocumentNode | list[GraphQLError]:
        try:
            document = parse(query)
        except GraphQLError as error:
            return [error]
        return validate(self.schema, document) or document

    def _root(
        self, compiler: Compiler, request: Request, nodes: list[FieldNode], answer: Answer, payload: Mapping[str, Any]
    ) -> Any:
        name, path = nodes[0].name.value, self._path(nodes)
        if name == "__typename":
            return self._query.name
        if name in _INTROSPECTION:
            return self._introspection(request, payload)[str(path[0])]
        definition = self._query.fields[name]
        arguments = compiler.arguments(definition, nodes[0])
        type_name = connection_node(definition) if is_connection(definition) else get_named_type(definition.type).name
        if type_name in self._forbidden and name != "me":
            raise GraphQLError(f"User does not have permission to read {self._forbidden[type_name]}.")
        if is_connection(definition):
            render = compiler.connection(definition, type_name, nodes, path)
            matches = self._matches.matches(self._relations, self.store.tables[type_name], arguments)
            cut = self.limits.cut(arguments)
            answer.limited |= cut != arguments
            found = page(matches, cut)
            answer.rows[name] = answer.rows.get(name, 0) + len(found.rows)
            return render(found, matches)
        row = current_user(self.store) if name == "me" else find_row(self.store.tables[type_name], arguments)
        answer.rows[name] = answer.rows.get(name, 0) + 1
        return compiler.rows(type_name, nodes, path)([row])[0]

    def _path(self, nodes: list[FieldNode]) -> Path:
        return [nodes[0].alias.value if nodes[0].alias else nodes[0].name.value]

    def _introspection(self, request: Request, payload: Mapping[str, Any]) -> dict[str, Any]:
        if request.variables:
            return self._run_introspection(request.document, payload.get("operationName"), payload["variables"])
        return self._introspected(payload["query"], payload.get("operationName"))

    def _introspect(self, query: str, operation: str | None) -> dict[str, Any]:
        return self._run_introspection(parse(query), operation, {})

    def _run_introspection(
        self, document: DocumentNode, operation: str | None, variables: dict[str, Any]
    ) -> dict[str, Any]:
        result: ExecutionResult = execute_sync(
            self.schema, document, variable_values=variables, operation_name=operation
        )
        if result.data is None or result.errors:
            raise AssertionError(f"introspection failed: {result.errors}")
        return result.data


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    chosen = [one for one in operations if not name or (one.name is not None and one.name.value == name)]
    if name and not chosen:
        return GraphQLError(f'Unknown operation named "{name}".')
    if len(chosen) != 1:
        return GraphQLError("Must provide operation name if query contains multiple operations.")
    if chosen[0].operation is not OperationType.QUERY:
        return GraphQLError(f"Schema is not configured for {chosen[0].operation.value}s.", chosen[0])
    return chosen[0]
