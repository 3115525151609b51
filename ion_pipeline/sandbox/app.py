"""The HTTP interface: token endpoint, GraphQL endpoint, and the sandbox's own statistics, faults and changes."""

import asyncio
import base64
import binascii
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from ion_pipeline.sandbox.changes import ChangeError, Changes
from ion_pipeline.sandbox.compile import Link
from ion_pipeline.sandbox.computed import Computed
from ion_pipeline.sandbox.engine import BadRequestError, Engine, Request
from ion_pipeline.sandbox.factory.live import Plant
from ion_pipeline.sandbox.faults import FaultRule, FaultRuleError, Faults, Shape, retry_after
from ion_pipeline.sandbox.file_host import PATH, FileHost
from ion_pipeline.sandbox.load import Writer
from ion_pipeline.sandbox.model import is_connection
from ion_pipeline.sandbox.responses import (
    BrokenResponse,
    DatedResponse,
    DroppedResponse,
    error_response,
    html_response,
    json_response,
)
from ion_pipeline.sandbox.stats import Stats
from ion_pipeline.sandbox.tokens import TOKEN_PATHS, AuthenticationError, TokenIssuer, TokenRequestError

_MESSAGES = {429: "Too many requests.", 500: "Internal server error.", 403: "User does not have permission to read."}


class SandboxApp:
    """All endpoints over one engine.

    Attributes:
        asgi: The application to serve.
        plant: The plant that works while it is served, if any.
    """

    def __init__(
        self,
        engine: Engine,
        issuer: TokenIssuer,
        *,
        seed: int = 0,
        computed: Computed | None = None,
        files: FileHost | None = None,
        plant: Plant | None = None,
    ) -> None:
        self.engine = engine
        self.issuer = issuer
        self.plant = plant
        self.files = files or FileHost(engine.store)
        self.faults = Faults(seed)
        self.changes = Changes(Writer(engine.store), computed)
        self.stats = Stats()
        self.asgi = Starlette(
            routes=[
                Route("/graphql", self.graphql, methods=["POST"]),
                *(Route(path, self.token, methods=["POST"]) for path in TOKEN_PATHS),
                Route(f"{PATH}/{{number:int}}/{{name:path}}", self.file, methods=["GET"]),
                Route("/_sandbox/stats", self.show_stats, methods=["GET"]),
                Route("/_sandbox/stats/reset", self.reset_stats, methods=["POST"]),
                Route("/_sandbox/faults", self.change_faults, methods=["GET", "POST", "DELETE"]),
                Route("/_sandbox/changes", self.change_world, methods=["GET", "POST"]),
            ]
        )

    async def graphql(self, http: HttpRequest) -> Response:
        """`POST /graphql`."""
        self.stats.requests += 1
        response = await self._graphql(http)
        dropped = isinstance(response, DroppedResponse)
        self.stats.responded(0 if dropped else response.status_code, 0 if dropped else len(response.body))
        return response

    async def _graphql(self, http: HttpRequest) -> Response:
        body = await http.body()
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError:
            payload = None
        verdict = self.faults.judge(self._shape(payload)) if self.faults.rules else None
        rule = verdict.rule if verdict else None
        if verdict and verdict.seconds:
            await asyncio.sleep(verdict.seconds)
        if rule is not None and rule.kind == "expire_tokens":
            self.issuer.expire_all()
        try:
            self.issuer.check(http.headers.get("authorization"))
        except AuthenticationError as error:
            return error_response(401, str(error))
        refused = await refusal(rule) if rule else None
        if refused is not None:
            return refused
        if payload is None:
            return error_response(400, "POST body sent invalid JSON.")
        if self.changes.waiting:
            self.changes.about_to_answer(self._shape(payload).entities)
        try:
            link = partial(self.files.link, str(http.base_url))
            answer = self._answer(payload, link, failing=rule is not None and rule.kind == "partial_error")
        except BadRequestError as error:
            return error_response(400, error.message)
        response = json_response(answer, accept_encoding=http.headers.get("accept-encoding", ""))
        return _faulty(response, rule) if rule else response

    def _answer(self, payload: Any, link: Link, *, failing: bool) -> Any:
        if isinstance(payload, list) and payload:
            return [self._answer(one, link, failing=failing) for one in payload]
        answer = self.engine.execute(payload, link)
        self.stats.answered(answer.rows)
        self.stats.limited += answer.limited
        if failing and answer.body.get("data"):
            failed = next(iter(answer.body["data"]))
            answer.body["data"][failed] = None
            answer.body.setdefault("errors", []).append({"message": "Internal server error.", "path": [failed]})
        return answer.body

    def _shape(self, payload: Any) -> Shape:
        """The properties of a request that fault rules match; a batch has those of all its operations together."""
        shapes = [self._one_shape(one) for one in (payload if isinstance(payload, list) else [payload])]
        sizes = [shape.first for shape in shapes]
        return Shape(
            endpoint="graphql",
            operation=next((shape.operation for shape in shapes if shape.operation), None),
            entities=frozenset().union(*(shape.entities for shape in shapes)),
            first=None if None in sizes else max((size for size in sizes if size is not None), default=0),
        )

    def _one_shape(self, payload: Any) -> Shape:
        try:
            request = self.engine.prepare(payload)
        except BadRequestError:
            return Shape(endpoint="graphql")
        if not isinstance(request, Request):
            return Shape(endpoint="graphql", operation=payload.get("operationName"))
        named = request.operation.name.value if request.operation.name else None
        fields = {nodes[0].name.value: nodes[0] for nodes in request.roots.values()}
        sizes = [self.engine.page_size(request, node) for name, node in fields.items() if self._is_list(name)]
        return Shape(
            endpoint="graphql",
            operation=named,
            entities=frozenset(fields),
            first=None if None in sizes else max((size for size in sizes if size is not None), default=0),
        )

    def _is_list(self, name: str) -> bool:
        query = self.engine.schema.query_type
        return query is not None and name in query.fields and is_connection(query.fields[name])

    async def token(self, http: HttpRequest) -> Response:
        """`POST …/protocol/openid-connect/token`."""
        self.stats.token_requests += 1
        verdict = self.faults.judge(Shape(endpoint="token"))
        if verdict.seconds:
            await asyncio.sleep(verdict.seconds)
        refused = await refusal(verdict.rule) if verdict.rule else None
        if refused is not None:
            return refused
        form = dict(parse_qsl((await http.body()).decode("utf-8", "replace"), keep_blank_values=True))
        try:
            return json_response(self.issuer.issue(_basic_credentials(http) | form))
        except TokenRequestError as error:
            return json_response(error.body, status=error.status)

    async def file(self, http: HttpRequest) -> Response:
        """`GET /_files/<id>/<name>?<signature>`."""
        number = int(http.path_params["number"])
        self.stats.files[str(number)] += 1
        rule = (verdict := self.faults.judge(Shape(endpoint="files"))).rule
        if verdict.seconds:
            await asyncio.sleep(verdict.seconds)
        if rule is not None and rule.kind == "expire_links":
            self.files.expire_all()
        refused = (await refusal(rule) if rule else None) or self.files.refusal(number, http.query_params, http.headers)
        if refused is not None:
            return refused
        response = self.files.answer(
            number, http.headers, ignore_range=rule is not None and rule.kind == "ignore_range"
        )
        return _faulty(response, rule) if rule else response

    async def show_stats(self, http: HttpRequest) -> Response:
        """`GET /_sandbox/stats`."""
        del http
        return json_response(self.stats.as_dict())

    async def reset_stats(self, http: HttpRequest) -> Response:
        """`POST /_sandbox/stats/reset`: answers with the counts before the reset."""
        del http
        before, self.stats = self.stats, Stats()
        return json_response(before.as_dict())

    async def change_faults(self, http: HttpRequest) -> Response:
        """`GET`, `POST` (replace) and `DELETE /_sandbox/faults`."""
        if http.method == "DELETE":
            self.faults.clear()
        elif http.method == "POST":
            try:
                self.faults.set(orjson.loads(await http.body()))
            except (orjson.JSONDecodeError, FaultRuleError) as error:
                return error_response(400, str(error))
        return json_response(self.faults.as_list())

    async def change_world(self, http: HttpRequest) -> Response:
        """`GET` and `POST /_sandbox/changes`: answers with the number of scheduled changes that are waiting."""
        if http.method == "POST":
            try:
                self.changes.post(orjson.loads(await http.body()))
            except (orjson.JSONDecodeError, ChangeError) as error:
                return error_response(400, str(error))
        return json_response({"waiting": self.changes.waiting})


def _faulty(response: Response, rule: FaultRule) -> Response:
    """The correct answer, with a fault in the way it is sent."""
    if rule.kind == "date":
        return DatedResponse(response, seconds=rule.seconds)
    if rule.kind == "corrupt":
        response.body = bytes([response.body[0] ^ 1]) + bytes(response.body[1:])
    if rule.kind in ("truncate", "slow"):
        return BrokenResponse(response, seconds=rule.seconds, cut=rule.kind == "truncate")
    return response


async def refusal(rule: FaultRule) -> Response | None:
    """The response of a fault that replaces the answer; None if the fault does not."""
    if rule.kind == "drop":
        return DroppedResponse()
    if rule.kind == "not_json":
        return html_response()
    if rule.kind == "timeout":
        await asyncio.sleep(rule.seconds)
        return error_response(502, "")
    if rule.kind == "redirect":
        return Response(status_code=307, headers={"location": rule.location})
    if rule.kind == "status":
        after = retry_after(rule)
        message = _MESSAGES.get(rule.status, f"Error {rule.status}.")
        return error_response(rule.status, message, {} if after is None else {"retry-after": after})
    return None


def _basic_credentials(http: HttpRequest) -> dict[str, str]:
    """Client id and secret from a Basic header, which OAuth2 allows in place of form fields."""
    scheme, _, encoded = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return {}
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}
