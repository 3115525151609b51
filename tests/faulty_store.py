"""A local S3 server (moto) over a real socket, which can be made to fail in the ways that stores and networks do."""

import logging
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Literal

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Kind = Literal[
    "error",  # 500, nothing done
    "slow down",  # 503 as S3 throttles, nothing done
    "expired",  # 400, the credentials have expired
    "forbidden",  # 403
    "reset",  # the connection is reset before anything was done
    "half received",  # the connection is reset in the middle of the request
    "stored, error",  # done, but answered 500
    "stored, lost",  # done, but the connection is reset before the answer
    "cut",  # done, but the connection is reset in the middle of the answer
    "unconditional",  # done whatever its conditions say
    "late",  # nothing is done until `release` is set
]

_ANSWERS = {
    "error": ("500 Internal Server Error", "InternalError"),
    "stored, error": ("500 Internal Server Error", "InternalError"),
    "slow down": ("503 Slow Down", "SlowDown"),
    "expired": ("400 Bad Request", "ExpiredToken"),
    "forbidden": ("403 Forbidden", "AccessDenied"),
}
BUCKET = "lake-of-the-test"


@dataclass
class Fault:
    """What happens to some requests.

    Attributes:
        kind: What happens.
        method: Of these requests only.
        key: A regular expression that is found in the key, of these requests only.
        times: How often it happens.
        skip: How many such requests pass before.
    """

    kind: Kind
    method: str = ""
    key: str = ""
    times: int = 1
    skip: int = 0


@dataclass
class FaultyStore:
    """The server and what is asked of it.

    Attributes:
        address: Its URL.
        faults: What happens to requests that are named.
        requests: Number of requests by method; listing is LIST.
        asked: Method and key, or query, of each request.
        release: Ends the wait of requests that are late.
        happened: How often each fault has happened.
        rhythm: What happens to each next request, whatever it asks for.
    """

    address: str
    faults: list[Fault] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, str]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    happened: Counter[str] = field(default_factory=Counter)
    rhythm: Iterator[Kind | None] = field(default_factory=lambda: repeat(None))

    def uri(self, prefix: str) -> str:
        return f"s3://{BUCKET}/{prefix}"

    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key-of-the-test",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """Another implementation of the protocol, to look at what is there."""
        return boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )

    def tree(self, prefix: str) -> dict[str, bytes]:
        """Every object below a prefix."""
        client, found = self.client(), {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/"):
            for entry in page.get("Contents", ()):
                body = client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
                found[entry["Key"].removeprefix(f"{prefix}/")] = body
        return found

    def fault(self, method: str, key: str) -> Kind | None:
        for fault in self.faults:
            if fault.method in {"", method} and re.search(fault.key, key) and fault.times:
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                self.happened[fault.kind] += 1
                return fault.kind
        if kind := next(self.rhythm):
            self.happened[kind] += 1
        return kind


class _Application:
    """moto, one request at a time: conditional writes are as atomic as those of S3."""

    def __init__(self) -> None:
        self.store = FaultyStore("")
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}").lstrip("/")
        what = key or environ["QUERY_STRING"]
        kind = None
        # The tests' own client names itself; what it looks at is not part of the traffic.
        if "Boto3" not in environ.get("HTTP_USER_AGENT", ""):
            with self._one:
                self.store.requests["LIST" if method == "GET" and not key else method] += 1
                self.store.asked.append((method, what))
                kind = self.store.fault(method, what)
        if kind in {"reset", "half received"}:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) // 2 if kind == "half received" else 0)
            raise _reset(environ)
        if kind == "late":
            assert self.store.release.wait(60)
        if kind == "unconditional":
            for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
                environ.pop(name, None)
        if kind in {None, "late", "cut", "unconditional", "stored, error", "stored, lost"}:
            status, headers, body = self._answer(environ)
            if kind == "stored, lost":
                raise _reset(environ)
            if kind == "cut":
                start_response(status, headers)
                return _half(body, environ)
            if kind != "stored, error":
                start_response(status, headers)
                return [body]
        else:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, code = _ANSWERS[str(kind)]
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>planted</Message></Error>".encode()
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        answered: list[Any] = []
        with self._one:
            body = b"".join(self._moto(environ, lambda *arguments: answered.extend(arguments)))
        return answered[0], answered[1], body


class _Handler(WSGIRequestHandler):
    def make_environ(self) -> dict[str, Any]:
        return {**super().make_environ(), "test.handler": self}


def _reset(environ: dict[str, Any]) -> ConnectionResetError:
    # Without lingering, the end of the connection is a reset, and no further request is read from it.
    environ["werkzeug.socket"].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    environ["test.handler"].close_connection = True
    return ConnectionResetError("planted")


def _half(body: bytes, environ: dict[str, Any]) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise _reset(environ)


@contextmanager
def faulty_store() -> Iterator[FaultyStore]:
    """Start a server with an empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    application = _Application()
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Handler)
    server.daemon_threads = True
    application.store.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        application.store.client().create_bucket(Bucket=BUCKET)
        yield application.store
    finally:
        application.store.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
