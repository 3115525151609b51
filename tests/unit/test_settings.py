"""Settings: what a person sets, and what they are told when it is wrong."""

from pathlib import Path

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.settings import ENDPOINTS, load_settings

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


def test_own_urls_win_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
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
            "ION_API_URL is http, which shows the key to the network",
        ),
        ({"ION_PAGE_SIZE": "many"}, "ION_PAGE_SIZE: input should be a valid integer"),
        ({"ION_PAGE_SIZE": "0"}, "ION_PAGE_SIZE: input should be greater than or equal to 1"),
        ({"ION_DUCKDB_MEMORY_LIMIT": "lots"}, "ION_DUCKDB_MEMORY_LIMIT: has the wrong form"),
        ({"ION_CLIENT_SECRET": SECRET, "ION_CLIENT_SECRET_FILE": "f"}, "keep one of them"),
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
