"""`python -m ion_pipeline.sandbox`: serves one sandbox, and prints its address as one line of JSON when it is ready.

The client secret comes from ION_SANDBOX_CLIENT_SECRET and is never printed. This command is for programs; people use
`ion-pipeline sandbox serve`.
"""

import argparse
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path

import orjson

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.factory.clock import TODAY
from ion_pipeline.sandbox.profiles import PROFILES
from ion_pipeline.sandbox.server import DEFAULT_CLIENT_ID, SandboxAddress, SandboxOptions, serve


def main(arguments: list[str] | None = None) -> int:
    """Serves until interrupted; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    until_stdin_closes = parsed.until_stdin_closes
    del parsed.until_stdin_closes
    names = tuple((old, new) for old, _, new in (name.partition("=") for name in parsed.names))
    options = SandboxOptions(**vars(parsed) | {"forbid": tuple(parsed.forbid), "names": names})
    if until_stdin_closes:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(options, _announce)
    except IonPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


def _announce(address: SandboxAddress) -> None:
    known = {"api_url": address.api_url, "auth_url": address.auth_url, "client_id": address.client_id}
    sys.stdout.buffer.write(orjson.dumps(known) + b"\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ion_pipeline.sandbox", description="A local ION.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1", help="other than loopback: open to the network")
    parser.add_argument("--world", type=Path, help="directory of world files; without it the factory builds one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is about 20,000 rows")
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, metavar="DATE", help="of the world")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="full")
    parser.add_argument("--no-export-group", dest="export_group", action="store_false", help="the key is not in it")
    parser.add_argument(
        "--name",
        dest="names",
        action="append",
        default=[],
        metavar="ENTITY=NAME",
        help="of an entity or list of `today`",
    )
    parser.add_argument("--forbid", action="append", default=[], metavar="ENTITY", help="may not be read (repeatable)")
    parser.add_argument("--max-first", type=int, metavar="ROWS", help="refuse requests for more rows of one list")
    parser.add_argument("--cap-first", type=int, metavar="ROWS", help="return at most this many rows of one list")
    parser.add_argument("--max-cost", type=int, metavar="COST", help="refuse requests for more rows times fields")
    parser.add_argument("--token-lifetime", type=int, default=300, metavar="SECONDS")
    parser.add_argument("--link-lifetime", type=int, default=300, metavar="SECONDS", help="of a link to a file")
    parser.add_argument("--file-bytes", type=int, metavar="BYTES", help="of each file; some kB if not given")
    parser.add_argument("--client-id", default=DEFAULT_CLIENT_ID)
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the parent process has ended")
    return parser


if __name__ == "__main__":
    sys.exit(main())
