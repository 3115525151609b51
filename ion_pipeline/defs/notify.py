"""Notifies a URL, e-mail addresses, or both when a run has failed permanently.

The URL is a secret, because anybody who knows it can write to the chat: no message, log line or traceback contains it.
The reason of a failure may quote ION: in a chat it is sent as code, so that it mentions nobody and creates no links.
"""

import logging
import smtplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import urlsplit

import dagster as dg
import httpx

from ion_pipeline.client.surroundings import proxy_for, socks_missing, ssl_context
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.plain import visible
from ion_pipeline.settings import Settings

_SECONDS = 20.0
_SMTP_PORT = 587
_LONGEST = 2000


class NoticeError(IonPipelineError):
    """A notification could not be sent."""


def failure_sensor(settings: Callable[[], Settings], *, is_on: bool) -> dg.SensorDefinition:
    """A sensor that sends a notification for each run that failed and will not be retried.

    Args:
        settings: Returns the settings when a notification is due: a definition contains no URLs and passwords.
        is_on: Whether the sensor is on by default: it is if the settings name a receiver.
    """

    @dg.run_failure_sensor(
        name="run_failed",
        description="Notifies ION_NOTIFY_URL and ION_NOTIFY_EMAIL of a failed run.",
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
    )
    def run_failed(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if will_be_retried(run.tags):
            return dg.SkipReason("The run will be retried.")
        reasons = [event.step_failure_data.error_display_string for event in context.get_step_failure_events()]
        notify(settings(), run.job_name, run.run_id, reasons[0] if reasons else context.failure_event.message or "")
        return None

    return run_failed


def will_be_retried(tags: Mapping[str, str]) -> bool:
    """Whether Dagster's tags of a failed run say that it will be retried."""
    return tags.get("dagster/will_retry", "false").lower() == "true"


def notify(settings: Settings, job: str, run_id: str, reason: str) -> None:
    """Notify the URL and the addresses of the settings. An error fails the sensor's tick, which shows it.

    Args:
        settings: Give the URL, the addresses and the mail server.
        job: The job that failed.
        run_id: Dagster's id of the run.
        reason: The reason, if known; shortened to a length that a chat accepts.

    Raises:
        NoticeError: The URL cannot be reached or refuses the notification. The mail is sent nevertheless.
        SettingsError: The proxy or the certificates named by the environment cannot be used. The mail is sent
            nevertheless.
        OSError: The mail cannot be sent.
    """
    subject = f"ion-pipeline: {job} failed ({settings.environment})"
    heading, why = f"{subject}\nRun {run_id}", visible(reason.strip()[:_LONGEST], keep="\n")
    # If the chat cannot be reached, the mail is still sent.
    try:
        _chat(settings, heading, why, job=job, run_id=run_id)
    finally:
        if settings.notify_email:
            _mail(settings, subject, f"{heading}\n{why}")


def as_text(text: str) -> str:
    """A text in a form that a chat displays unchanged.

    In a code block nothing is emphasis or a mention. Slack and Teams interpret `<` and `&` even there, as the start of
    a link, a mention or an entity, so these characters are escaped as in HTML.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    return f"```\n{escaped}\n```"


def _chat(settings: Settings, heading: str, why: str, **known: str) -> None:
    if not settings.notify_url:
        return
    # Slack, Teams and Mattermost display `text`; the other fields are for programs.
    document = {"text": f"{heading}\n{as_text(why)}", **known, "environment": settings.environment}
    problem = _post(settings.notify_url.get_secret_value(), document)
    if problem:
        raise NoticeError(
            f"ION_NOTIFY_URL {problem}.", remedy="Create a new incoming webhook in the chat, and set its URL."
        )


def _post(url: str, document: dict[str, str]) -> str:
    """Post a document to a URL, with the same proxy and certificates as for ION; return what went wrong, if anything.

    httpx's own errors and log lines contain the URL, so neither is passed on.
    """
    certificates = ssl_context(trust_env=True)
    try:
        proxy = proxy_for(url)
        with _unlogged(), httpx.Client(verify=certificates, proxy=proxy, trust_env=False, timeout=_SECONDS) as client:
            status = client.post(url, json=document).status_code
    except ImportError:
        raise socks_missing(url) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"cannot be reached ({type(error).__name__})"
    return "" if httpx.codes.is_success(status) else f"answers {status}"


@contextmanager
def _unlogged() -> Iterator[None]:
    logger = logging.getLogger("httpx")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _mail(settings: Settings, subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, settings.notify_email_from or settings.notify_email[0]
    message["To"] = ", ".join(settings.notify_email)
    message.set_content(text)
    server = urlsplit(settings.smtp_url)
    connect = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with connect(server.hostname or "localhost", server.port or _SMTP_PORT, timeout=_SECONDS) as smtp:
        if server.scheme == "smtp+tls":
            smtp.starttls()
        if server.username and settings.smtp_password:
            smtp.login(server.username, settings.smtp_password.get_secret_value())
        smtp.send_message(message)
