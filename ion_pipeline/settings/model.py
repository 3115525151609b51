"""Every setting: its name, type, default and description, and the rules between settings."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ion_pipeline import rules
from ion_pipeline.endpoints import ENDPOINTS, Endpoints
from ion_pipeline.errors import SettingsError
from ion_pipeline.settings.secret_file import secret_of

Environment = Literal["embedded", "production", "staging", "gov", "gov-staging", "aus", "aus-staging", "custom"]

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Settings(BaseSettings):
    """The settings of one tenant and one data directory.

    Raises:
        ValidationError: By the constructor; `load_settings` gives messages that a person can act on.
    """

    model_config = SettingsConfigDict(
        env_prefix="ION_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Environment = Field(
        default="embedded",
        description="Which ION to read: `embedded` starts a local sandbox, `custom` uses the two URLs below.",
    )
    api_url: rules.BaseUrl | None = Field(default=None, description="URL of the API, with or without `/graphql`.")
    auth_url: rules.BaseUrl | None = Field(default=None, description="Base URL of the token host, without `/realms`.")
    client_id: rules.Name | None = Field(default=None, description="Id of the API key.")
    client_secret: rules.Secret | None = Field(default=None, description="Secret of the API key.")
    client_secret_file: Path | None = Field(default=None, description="File with the secret, in place of the variable.")
    token: rules.Token | None = Field(default=None, description="A ready-made access token, in place of an API key.")

    data_dir: rules.DataDir = Field(
        default=Path(),
        description="Directory of the lake, the warehouse and the published files.",
        json_schema_extra={"default": "data/<environment>"},
    )
    lake_uri: rules.LakeUri | None = Field(
        default=None,
        description="Object store that holds the lake instead of the data directory: `s3://bucket/prefix`, "
        "`gs://bucket/prefix` or `abfs://container@account.dfs.core.windows.net/prefix`. Credentials come from the "
        "environment. Needs `pip install 'ion-pipeline[object-store]'`.",
    )
    entities: Annotated[tuple[str, ...], NoDecode, BeforeValidator(rules.comma_separated)] = Field(
        default=(),
        description="Entities to read, separated by commas. Empty: all but the administrative ones.",
    )

    umask: str = Field(
        default="077",
        pattern=r"^0?0[0-7]{2}$",
        description="Permissions that new files do not get, as in a shell: `077` gives access to the user only, `027` "
        "lets the group read. Existing files keep their permissions.",
    )

    page_size: int = Field(default=500, ge=1, le=5000, description="Rows asked for in one request.")
    max_concurrency: int = Field(default=8, ge=1, le=64, description="Maximum number of requests in flight.")
    parallel_ranges: bool = Field(
        default=True, description="Read a large entity in several id ranges in parallel, within ION_MAX_CONCURRENCY."
    )
    requests_per_second: float = Field(default=50.0, gt=0, description="Maximum number of requests started per second.")
    request_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Give up on one request after this long. ION itself ends one after 30 s."
    )
    max_attempts: int = Field(default=8, ge=1, le=50, description="Attempts per request before a refresh fails.")

    overlap_minutes: float = Field(
        default=5.0,
        ge=0,
        description="A refresh asks for changes since this long before the last read began: commits may show late.",
    )
    settle_rounds: int = Field(
        default=3, ge=1, le=20, description="How often a refresh reads again what changed while it was reading."
    )
    max_deleted_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="A refresh stops if more than this share of an entity's rows, and over 100, are missing in ION.",
    )

    resume_hours: float = Field(
        default=24.0, ge=0, description="An interrupted read can be resumed for this long; 0: never."
    )
    checkpoint_seconds: float = Field(
        default=5.0,
        ge=0,
        description="About how many seconds of reading a crash may lose; in a long read, a fiftieth of it.",
    )
    lock_wait_seconds: float = Field(
        default=0.0,
        ge=0,
        description="How long to wait while another process writes the lake or the warehouse; 0: not at all.",
    )

    duckdb_memory_limit: str = Field(
        default="4GB",
        pattern=r"^\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
        description="Memory that DuckDB may use.",
    )
    duckdb_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Threads that DuckDB may use.",
        json_schema_extra={"default": "number of cores"},
    )
    full_build_hours: int = Field(
        default=24,
        ge=0,
        description="A refresh replaces the rows of large tables that changes affect; after this many hours it builds "
        "such a table from all rows again. 0: always from all rows.",
    )
    publish_storage_version: str = Field(
        default="v1.0.0",
        pattern=r"^v\d+\.\d+\.\d+$",
        description="DuckDB storage version of the published file: the oldest DuckDB that can read it.",
    )
    publish_keep: int = Field(
        default=2,
        ge=2,
        description="Number of published versions kept in `published/publishes/`, including the current one.",
    )
    publish_format: Annotated[
        tuple[Literal["parquet", "delta"], ...], NoDecode, BeforeValidator(rules.comma_separated)
    ] = Field(
        default=("parquet",),
        min_length=1,
        description="What is published besides the DuckDB file, separated by commas: `parquet` files, `delta` tables. "
        "`delta` needs `pip install 'ion-pipeline[delta]'`.",
        json_schema_extra={"default": "parquet"},
    )
    publish_to: rules.Target | None = Field(
        default=None,
        description="Target to which each publish is also sent: `s3://bucket/prefix` or "
        "`postgresql://user@host/database`. Credentials come from the environment variables of the target's client, "
        "never from the URI.",
    )
    publish_export_controlled: bool = Field(
        default=True,
        description="Whether rows under export control, and rows that belong to them, are published. A change rebuilds "
        "all models; `false` also deletes the published versions that still contain them.",
    )

    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="What builds the models: DuckDB on this machine, or Apache Spark "
        "(`pip install 'ion-pipeline[spark]'`, and Java 17). The published files are the same.",
    )
    spark_remote: rules.SparkRemote = Field(
        default="",
        description="Spark Connect server, as `sc://host:port` or `sc://host:port/;use_ssl=true`; empty for a Spark "
        "session on this machine. Its token comes from `SPARK_CONNECT_AUTHENTICATE_TOKEN`.",
    )
    warehouse_uri: str = Field(
        default="",
        description="Folder for the tables of a build on Spark, a path or a URI that Spark and this machine reach "
        "(`s3://bucket/prefix`); it holds nothing else. A cluster also needs a lake that it reaches.",
        json_schema_extra={"default": "<data directory>/spark"},
    )

    seeds_dir: Path | None = Field(
        default=None,
        description="Folder of your own seed files, which replace the shipped ones of the same name.",
    )

    further_actions: str = Field(
        default="",
        pattern=r"^[a-z0-9_]*$",
        description="Adopted table that links further actions (CAPA) to issues, such as `corrective_action_issues`; "
        "ION's manual does not name it. Empty: `quality.further_actions` has no rows.",
    )

    schedules_on: bool = Field(
        default=False,
        description="Whether the schedules are on without anybody turning them on in Dagster; never in `embedded`.",
    )
    refresh_cron: rules.Cron = Field(default="0 * * * *", description="When `refresh` runs; empty for never.")
    reconcile_cron: rules.Cron = Field(default="30 2 * * *", description="When `reconcile` runs; empty for never.")
    full_refresh_cron: rules.Cron = Field(default="", description="When `full_refresh` runs; empty for never.")
    schedule_time_zone: rules.TimeZone = Field(
        default="UTC", description="Time zone of the schedules, such as `Europe/Berlin`."
    )
    run_retries: int = Field(default=2, ge=0, le=10, description="How often a failed scheduled run is retried.")
    freshness_hours: float = Field(
        default=26.0,
        gt=0,
        description="Dagster shows an asset as stale if it was not refreshed for this long, with a warning at half.",
    )
    notify_url: SecretStr | None = Field(
        default=None, description="URL that is notified of a failed run, for example a chat's incoming webhook."
    )
    notify_email: Annotated[tuple[str, ...], NoDecode, BeforeValidator(rules.comma_separated)] = Field(
        default=(), description="E-mail addresses that are notified of a failed run, separated by commas."
    )
    notify_email_from: str = Field(default="", description="Sender of those e-mails; the first address if empty.")
    smtp_url: str = Field(
        default="smtp://localhost:25",
        pattern=r"^(smtp|smtp\+tls|smtps)://[^:]+(@|:\d+$|$)",
        description="Mail server: `smtp://host:port`, `smtp+tls://user@host:587` (STARTTLS) or `smtps://user@host:465`.",
    )
    smtp_password: rules.Secret | None = Field(default=None, description="Password of the user at the mail server.")

    webhook_secret: rules.Secret | None = Field(default=None, description="Secret that ION signs webhook events with.")
    webhook_secret_file: Path | None = Field(
        default=None, description="File that contains that secret, in place of the variable."
    )
    webhook_algorithm: Literal["sha256", "sha1", "sha512"] = Field(
        default="sha256", description="Hash algorithm of the events' signatures; ION's manual does not specify it."
    )
    webhook_max_bytes: int = Field(default=65_536, ge=1024, description="Maximum size of an event's body in bytes.")
    webhook_requests_per_second: float = Field(
        default=50.0,
        gt=0,
        description="Maximum number of events accepted per second; ION is asked to resend the others.",
    )

    sandbox_seed: int = Field(default=7, description="Seed of the embedded sandbox's factory; kept as its size.")
    sandbox_scale: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="Size of the embedded sandbox's factory; 1 is about 20,000 rows. A data directory keeps it until "
        "another one is set.",
    )
    sandbox_today: date | None = Field(
        default=None,
        description="Date of the embedded sandbox's world, which ends on the last working day before it: `2026-11-30`. "
        "Today in UTC unless set; a data directory keeps the date of its first read.",
    )
    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        default=None,
        description="Lines of this level and above are logged to standard error; on a terminal, `warning` unless set.",
        json_schema_extra={"default": "info"},
    )
    log_format: Literal["console", "json"] = Field(
        default="console",
        description="`json`: each line of standard error is one JSON object, and no progress is shown.",
    )

    @model_validator(mode="before")
    @classmethod
    def _environment_decides_the_data_dir(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("data_dir"):
            values["data_dir"] = Path("data") / str(values.get("environment", "embedded"))
        return values

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.client_secret and self.client_secret_file:
            raise ValueError("ION_CLIENT_SECRET and ION_CLIENT_SECRET_FILE are both set: keep one of them")
        if self.webhook_secret and self.webhook_secret_file:
            raise ValueError("ION_WEBHOOK_SECRET and ION_WEBHOOK_SECRET_FILE are both set: keep one of them")
        for name, url in (("ION_API_URL", self.api_url), ("ION_AUTH_URL", self.auth_url)):
            if url and url.scheme == "http" and url.host not in _THIS_MACHINE:
                raise ValueError(f"{name} uses http, which exposes the key on the network: use https")
        if self.environment == "embedded":
            if self.api_url or self.auth_url:
                raise ValueError("ION_API_URL and ION_AUTH_URL are set: set ION_ENVIRONMENT=custom as well")
            return self
        if self.environment == "custom" and not (self.api_url and (self.auth_url or self.token)):
            raise ValueError("ION_ENVIRONMENT=custom needs ION_API_URL and ION_AUTH_URL: set both")
        if not self.token and not self.client_id:
            raise ValueError("no credentials: set ION_CLIENT_ID and ION_CLIENT_SECRET (ION: Settings > API keys)")
        if not self.token and not (self.client_secret or self.client_secret_file):
            raise ValueError("ION_CLIENT_ID has no secret: set ION_CLIENT_SECRET or ION_CLIENT_SECRET_FILE")
        return self

    @property
    def endpoints(self) -> Endpoints:
        """The tenant's hosts, from the URL settings or from the environment's name.

        Raises:
            SettingsError: The environment is `embedded`, which has no address before the sandbox starts.
        """
        known = ENDPOINTS.get(self.environment)
        api_url = rules.base_of(self.api_url) if self.api_url else known and known.api_url
        auth_url = rules.base_of(self.auth_url) if self.auth_url else known and known.auth_url
        if not api_url:
            raise SettingsError("The embedded sandbox has no address before it is started.")
        return Endpoints(api_url, auth_url or api_url)

    def read_client_secret(self) -> SecretStr | None:
        """The API key's secret, from the variable or from its file.

        Raises:
            SettingsError: The file cannot be read or is empty.
        """
        return secret_of(self.client_secret, "ION_CLIENT_SECRET_FILE", self.client_secret_file)

    def read_webhook_secret(self) -> SecretStr | None:
        """The secret of webhook events, from the variable or from its file; None if there is none.

        Raises:
            SettingsError: The file cannot be read or is empty.
        """
        return secret_of(self.webhook_secret, "ION_WEBHOOK_SECRET_FILE", self.webhook_secret_file)

    @property
    def file_umask(self) -> int:
        """`umask` as a number for `os.umask`."""
        return int(self.umask, 8)

    @property
    def lake_dir(self) -> Path:
        """The folder of the append-only lake of Parquet loads, unless `lake_uri` is set."""
        return self.data_dir / "lake"

    @property
    def warehouse_path(self) -> Path:
        """The writer's DuckDB file; readers use the published one."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """The folder of the files that analysts read."""
        return self.data_dir / "published"

    @property
    def report_path(self) -> Path:
        """The report, unless a command names another file."""
        return self.data_dir / "report.html"

    @property
    def webhook_inbox(self) -> Path:
        """The file of events that ION has sent."""
        return self.data_dir / "webhooks.sqlite"


class DataSettings(Settings):
    """The settings of a data directory, for commands that do not contact a tenant: its settings may be incomplete."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        return self
