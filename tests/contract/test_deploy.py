"""The files under docs/deploy are valid: systemd accepts the units, and every command exists with its options."""

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from ion_pipeline import cli
from ion_pipeline.settings import Settings
from tests.documents import read_yaml

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
INSTALLED = "/opt/ion-pipeline"
HARDENED = {
    "User": "ion-pipeline",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictSUIDSGID": "yes",
    "SystemCallFilter": "@system-service",
    "StateDirectory": "ion-pipeline",
}


def unit(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if line and not line.startswith(("#", "["))]  # type: ignore[misc]


def compose() -> dict[str, Any]:
    document: dict[str, Any] = read_yaml(DEPLOY / "compose.yaml")
    return document


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield every command line in the units and the compose file, with its location."""
    for path in UNITS:
        for key, value in unit(path):
            if key.startswith("Exec"):
                yield path.name, shlex.split(value.replace(f"{INSTALLED}/.venv/bin/", ""))
    for name, service in compose()["services"].items():
        words = service.get("command", [])
        if words[:2] == ["sh", "-c"]:
            for part in words[2].split("&&"):
                yield name, [word for word in shlex.split(part) if word != "exec"]
        elif words:
            yield name, words


COMMANDS = list(command_lines())


def program(name: str) -> click.Command:
    if name == "ion-pipeline":
        return typer.main.get_command(cli.app)
    [entry] = entry_points(group="console_scripts", name=name)
    loaded = entry.load()
    if isinstance(loaded, click.Command):
        return loaded
    # The entry points of dagster-daemon and dagster-webserver are functions that call the command of their module.
    module = sys.modules[loaded.__module__]
    found = [value for value in vars(module).values() if isinstance(value, click.Command)]
    return next(command for command in found if command.name in {name, "cli", "dagster-webserver", "group", None})


@pytest.mark.parametrize(
    ("where", "words"),
    # To import Dagster's commands takes seconds.
    [
        pytest.param(where, words, marks=[pytest.mark.slow] if words[0].startswith("dagster") else [])
        for where, words in command_lines()
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_command_exists_and_has_its_options(where: str, words: list[str]) -> None:
    name, *arguments = words
    if name == "python":
        assert arguments[0] == "-m"
        assert (REPOSITORY / Path(*arguments[1].split("."))).with_suffix(".py").is_file(), where
        return
    command = program(name)
    # Tested by attribute, because typer's groups are not instances of click's class.
    while arguments and arguments[0] in (commands := getattr(command, "commands", {})):
        command = commands[arguments.pop(0)]
    assert not getattr(command, "commands", {}), f"{where}: {name} has no {arguments}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options = [word for word in arguments if word.startswith("-")]
    assert set(options) <= known, f"{where}: {name} does not know {set(options) - known}"


def test_the_command_list_is_not_empty() -> None:
    assert {"dagster-daemon", "dagster-webserver", "ion-pipeline", "python"} == {words[0] for _, words in COMMANDS}
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_hold_no_secret(path: Path) -> None:
    keys = dict(unit(path))
    assert {key: keys.get(key) for key in HARDENED} == HARDENED
    text = path.read_text("utf-8")
    assert not re.search(r"(SECRET|TOKEN|PASSWORD)=(?!.*%d/)", text)
    # Only services that need the API key get it.
    assert ("client_secret" in text) == (path.name == "ion-pipeline-daemon.service")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on the path")
def test_systemd_reports_no_problem_in_the_units(tmp_path: Path) -> None:
    assert len(UNITS) == 3
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / ".venv").symlink_to(sys.prefix)
    for path in UNITS:
        text = path.read_text("utf-8").replace(INSTALLED, str(tmp_path / "opt"))
        (tmp_path / path.name).write_text(text, "utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / path.name) for path in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in verified.stderr.splitlines() if "ion-pipeline" in line]
    assert (verified.returncode, ours) == (0, [])


def test_the_shared_settings_are_settings_and_no_secrets() -> None:
    lines = (DEPLOY / "ion-pipeline.env").read_text("utf-8").splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    ours = [name for name in names if name.startswith("ION_")]
    assert len(ours) > 3
    assert [name for name in ours if name.removeprefix("ION_").lower() not in Settings.model_fields] == []
    assert [name for name in names if re.search("SECRET|TOKEN|PASSWORD", name)] == []


def test_variables_of_the_services_are_declared_and_are_settings() -> None:
    document = compose()
    assert set(document["services"]) == {"postgres", "daemon", "webserver", "webhooks"}
    for name, service in document["services"].items():
        assert set(service.get("secrets", [])) <= set(document["secrets"]), name
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(document["volumes"]), name
        ours = [key for key in service.get("environment", {}) if key.startswith("ION_")]
        assert [key for key in ours if key.removeprefix("ION_").lower() not in Settings.model_fields] == []
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    holders = {name for name, service in document["services"].items() if "client_secret" in service.get("secrets", [])}
    assert holders == {"daemon"}


def test_the_cluster_is_closed_and_is_reached_where_it_listens() -> None:
    base, cluster = compose(), read_yaml(DEPLOY / "compose.spark.yaml")
    services = cluster["services"]
    added = {name: service for name, service in services.items() if name not in base["services"]}
    assert set(added) == {"spark-master", "spark-worker", "spark-connect"}
    volumes = {*base["volumes"], *cluster["volumes"]}
    for name, service in added.items():
        assert (service["networks"], service.get("ports"), service["cap_drop"]) == (["spark"], None, ["ALL"]), name
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= volumes, name
    assert cluster["networks"]["spark"]["internal"] is True
    [data] = [volume for volume in base["services"]["daemon"]["volumes"] if volume.startswith("data:")]
    assert [name for name, service in added.items() if data in service.get("volumes", [])] == [
        "spark-worker",
        "spark-connect",
    ]
    environment = services["daemon"]["environment"]
    assert [name for name in environment if name.removeprefix("ION_").lower() not in Settings.model_fields] == []
    host, port = re.fullmatch(r"sc://([a-z-]+):(\d+)", environment["ION_SPARK_REMOTE"]).groups()  # type: ignore[union-attr]
    assert f"--conf=spark.connect.grpc.binding.port={port}" in added[host]["command"]
    master = "spark://{1}:{3}".format(*added["spark-master"]["command"][-4:])
    assert master in added["spark-worker"]["command"]
    assert f"--master={master}" in added[host]["command"]


def test_an_image_without_a_target_has_no_spark_in_it() -> None:
    stages = re.findall(r"^FROM (.+)$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)
    assert [stage.split(" AS ")[-1] for stage in stages] == ["ion-pipeline", "spark", "ion-pipeline"]
    assert " AS " not in stages[-1]
    services = read_yaml(DEPLOY / "compose.spark.yaml")["services"]
    assert services["daemon"]["build"] == {"target": "spark"}
    assert {service["image"] for service in services.values()} == {"ion-pipeline-spark"}


def test_the_image_copies_only_existing_files() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert {"ion_pipeline", "dbt_project", "requirements.lock"} <= set(copied)
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    assert re.search(r"^USER ion-pipeline$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "extras_in_it", "others"),
    [
        ("postgres.lock", ("postgres", "server"), {"psycopg2-binary"}),
        ("delta.lock", ("delta",), {"arro3-core", "deprecated", "wrapt"}),
        ("object-store.lock", ("object-store",), set()),
        (
            "spark.lock",
            ("spark",),
            {"googleapis-common-protos", "grpcio-status", "numpy", "py4j", "sqlparams", "zstandard"},
        ),
        (
            "mcp.lock",
            ("mcp",),
            {"cffi", "cryptography", "httpcore2", "httpx2", "mcp-types", "pycparser", "pyjwt"}
            | {"python-multipart", "sse-starlette", "truststore"},
        ),
    ],
)
def test_the_lock_of_the_extras_holds_what_the_extras_add_to_the_main_lock(
    lock: str, extras_in_it: tuple[str, ...], others: set[str]
) -> None:
    script = runpy.run_path(str(DEPLOY / "lock_extras.py"))
    text = (DEPLOY / lock).read_text("utf-8")
    assert text == script["extras_lock"](script["LOCKS"][lock]), "run make lock"
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(pinned)
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = {re.split(r"[\[<>=]", one)[0] for extra in extras_in_it for one in extras[extra]}
    assert pinned == asked | others
    runtime = (REPOSITORY / "requirements.lock").read_text("utf-8")
    assert not pinned & set(re.findall(r"^([a-z0-9-]+)==", runtime, re.MULTILINE))
