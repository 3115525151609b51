"""Settings: the values that a person sets, and the error messages for wrong ones."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ion_pipeline.cli import app
from ion_pipeline.endpoints import ENDPOINTS
from ion_pipeline.errors import SettingsError
from ion_pipeline.settings import load_settings, unknown_settings

SECRET = "hunter2-secret"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_the_embedded_sandbox() -> None:
    settings = load_settings()
    assert settings.environment == "embedded"
    assert settings.data_dir == Path("data/embedded")


def test_each_environment_has_its_hosts_and_its_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ION_CLIENT_ID", "key")
    monkeypatch.setenv("ION_CLIENT_SECRET", SECRET)
    assert len(ENDPOINTS) == 6
    for environment, endpoints in ENDPOINTS.items():
        monkeypatch.setenv("ION_ENVIRONMENT", environment)
        settings = load_settings()
        assert settings.endpoints == endpoints
        assert settings.data_dir == Path("data") / environment


def test_own_urls_take_precedence_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ION_ENVIRONMENT", "production")
    monkeypatch.setenv("ION_API_URL", "https://api.rocket.example/")
    monkeypatch.setenv("ION_TOKEN", SECRET)
    settings = load_settings()
    assert settings.endpoints.api_url == "https://api.rocket.example"
    assert settings.endpoints.auth_url == ENDPOINTS["production"].auth_url


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ION_ENVIRONMENT": "prod"}, "ION_ENVIRONMENT: must be one of embedded, production"),
        ({"ION_ENVIRONMENT": "production"}, "set ION_CLIENT_ID and ION_CLIENT_SECRET"),
        ({"ION_ENVIRONMENT": "production", "ION_CLIENT_ID": "key"}, "set ION_CLIENT_SECRET or ION_CLIENT_SECRET_FILE"),
        ({"ION_ENVIRONMENT": "custom", "ION_TOKEN": SECRET}, "ION_API_URL and ION_AUTH_URL"),
        ({"ION_API_URL": "https://x.example"}, "ION_ENVIRONMENT=custom"),
        (
            {"ION_ENVIRONMENT": "custom", "ION_TOKEN": SECRET, "ION_API_URL": "http://ion.example"},
            "ION_API_URL uses http, which exposes the key on the network",
        ),
        ({"ION_PAGE_SIZE": "many"}, "ION_PAGE_SIZE: input should be a valid integer"),
        ({"ION_PAGE_SIZE": "0"}, "ION_PAGE_SIZE: input should be greater than or equal to 1"),
        ({"ION_DUCKDB_MEMORY_LIMIT": "lots"}, "ION_DUCKDB_MEMORY_LIMIT: has the wrong form"),
        ({"ION_CLIENT_SECRET": SECRET, "ION_CLIENT_SECRET_FILE": "f"}, "keep one of them"),
        ({"ION_REFRESH_CRON": "every hour"}, "ION_REFRESH_CRON: is not a cron expression: it takes five fields"),
        ({"ION_RECONCILE_CRON": "0 25 * * *"}, "ION_RECONCILE_CRON: is not a cron expression: the hour is wrong"),
        ({"ION_FULL_REFRESH_CRON": "0 0 30 2 *"}, "ION_FULL_REFRESH_CRON: is not a cron expression: that month never"),
        ({"ION_SCHEDULE_TIME_ZONE": "Berlin"}, "ION_SCHEDULE_TIME_ZONE: is not a time zone: write Europe/Berlin"),
        ({"ION_SCHEDULE_TIME_ZONE": "Europe"}, "ION_SCHEDULE_TIME_ZONE: is not a time zone"),
        ({"ION_SCHEDULE_TIME_ZONE": "../UTC"}, "ION_SCHEDULE_TIME_ZONE: is not a time zone"),
        ({"ION_TOKEN": f"{SECRET}\nX-More: 1"}, "ION_TOKEN: has a line break"),
        ({"ION_TOKEN": f"{SECRET}\u2013"}, "ION_TOKEN: has a line break, a blank or another character"),
        ({"ION_CLIENT_SECRET": f"{SECRET}\n{SECRET}"}, "ION_CLIENT_SECRET: has a line break"),
        ({"ION_API_URL": f"https://me:{SECRET}@ion.example"}, "ION_API_URL: is more than an address"),
        ({"ION_AUTH_URL": f"https://ion.example/?token={SECRET}"}, "ION_AUTH_URL: is more than an address"),
        ({"ION_PUBLISH_TO": f"postgresql://me:{SECRET}@host/db"}, "ION_PUBLISH_TO: contains a password"),
        ({"ION_PUBLISH_TO": f"postgresql://me@host/db?password={SECRET}"}, "ION_PUBLISH_TO: contains a password"),
        ({"ION_PUBLISH_FORMAT": "parquet,iceberg"}, "ION_PUBLISH_FORMAT: input should be 'parquet' or 'delta'"),
        ({"ION_PUBLISH_FORMAT": ","}, "ION_PUBLISH_FORMAT: tuple should have at least 1 item"),
        (
            {"ION_SPARK_REMOTE": "spark://host:7077"},
            "ION_SPARK_REMOTE: is not the address of a server of Spark Connect",
        ),
        ({"ION_SPARK_REMOTE": "sc://host:many"}, "ION_SPARK_REMOTE: is not the address of a server of Spark"),
        ({"ION_SPARK_REMOTE": f"sc://host/;use_ssl=true;token={SECRET}"}, "ION_SPARK_REMOTE: contains a token"),
        ({"ION_DATA_DIR": "what?/data"}, "contains ?, which DuckDB does not support in a path"),
    ],
)
def test_a_wrong_setting_is_one_sentence(variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert SECRET not in str(caught.value)


def test_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    settings = load_settings(environment="production", client_id="key", client_secret_file=tmp_path / "secret")
    secret = settings.read_client_secret()
    assert secret is not None
    assert secret.get_secret_value() == SECRET


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_unusable_secret_file(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    settings = load_settings(environment="production", client_id="key", client_secret_file=path)
    with pytest.raises(SettingsError, match="ION_CLIENT_SECRET_FILE"):
        settings.read_client_secret()


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "localhost", "[::1]:8484"])
def test_http_is_for_this_machine(host: str) -> None:
    settings = load_settings(environment="custom", token=SECRET, api_url=f"http://{host}")
    assert settings.endpoints.api_url == f"http://{host}"


def test_no_secret_is_ever_shown() -> None:
    settings = load_settings(environment="production", client_id="key", client_secret=SECRET, token=SECRET)
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_dotenv_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ION_PAGE_SIZE=123\nION_ENTITIES=parts, runs\n")
    settings = load_settings()
    assert settings.page_size == 123
    assert settings.entities == ("parts", "runs")


def test_urls_copied_from_a_browser_are_accepted() -> None:
    settings = load_settings(environment="custom", token=SECRET, api_url="https://api.rocket.example/graphql")
    assert settings.endpoints.api_url == "https://api.rocket.example"
    settings = load_settings(environment="custom", token=SECRET, api_url="https://rocket.example/ion/graphql/")
    assert settings.endpoints.api_url == "https://rocket.example/ion"


def test_a_line_break_at_the_end_of_a_secret_is_not_part_of_it() -> None:
    settings = load_settings(environment="custom", token=f"{SECRET}\n", api_url="https://rocket.example")
    assert settings.token
    assert settings.token.get_secret_value() == SECRET


CRONS = """
every hour|0 * * * *|@daily|@hourly|@Daily|@reboot|60 * * * *|*/15 * * * *|0 24 * * *|0 0 0 * *|0 0 32 * *|0 0 L * *
0 0 * 13 *|0 0 * jan *|0 0 * JAN-mar *|0 0 * * mon-fri|0 0 * * 7|0 0 * * 8|0 0 * * sat#1|0 0 * * sat#6|0 0 30 2 *
0 0 30 2 1|5-1 * * * *|0 0 * * fri-mon|0 0 * * * *|* * * *|1/5 * * * *|1,2,x * * * *|1-5/2 * * * *|*/0 * * * *
*/61 * * * *|*/30 */24 * * *|a * * * *|0 0 ? * *|0 0 * * ?|? * * * *|0 0 * ? *|-1 * * * *|1- * * * *|1,,2 * * * *
0 0 * * L5|0 0 15W * *|0 0 1 1 *|*-5 * * * *|0 0 29 2 *|0 0 1-31 2 *|0 0 1,l * *|H * * * *|0 0 * * 1,2#2|0 0 20-5 * *
""".strip().replace("\n", "|")


@pytest.mark.slow
@pytest.mark.parametrize("cron", CRONS.split("|"))
def test_cron_expressions_are_accepted_as_dagster_accepts_them(cron: str) -> None:
    from dagster._utils.schedules import is_valid_cron_string

    if is_valid_cron_string(cron):
        assert load_settings(refresh_cron=cron).refresh_cron == cron
    else:
        with pytest.raises(SettingsError, match="ION_REFRESH_CRON"):
            load_settings(refresh_cron=cron)


def test_unknown_names_are_reported_with_a_proposal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_settings() == []
    monkeypatch.setenv("ION_PAGESIZE", "100")
    monkeypatch.setenv("ION_DBT_THREADS", "2")
    (tmp_path / ".env").write_text("ION_DATADIR=f\nION_SHOE_LACES=7\nOTHER=1\n")
    assert unknown_settings() == [
        "ION_DATADIR is not a setting: did you mean ION_DATA_DIR?",
        "ION_PAGESIZE is not a setting: did you mean ION_PAGE_SIZE?",
        "ION_SHOE_LACES is not a setting, and has no effect.",
    ]
    assert load_settings().page_size == 500
    status = CliRunner().invoke(app, ["status", "--json"])
    assert status.exit_code == 0
    assert "ION_PAGESIZE is not a setting: did you mean ION_PAGE_SIZE?" in status.stderr
    assert "ION_PAGESIZE" not in status.stdout


def test_a_data_directory_may_have_any_other_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's a*b [x] {y} #1;&%20$ \"é\n"
    assert load_settings(data_dir=folder).warehouse_path.parent == folder


@pytest.mark.parametrize(
    "address", ["", "sc://spark", "sc://spark.example:15002", "sc://[::1]:443/;use_ssl=true;user_id=ion"]
)
def test_addresses_of_spark_connect(address: str) -> None:
    assert load_settings(spark_remote=address).spark_remote == address
