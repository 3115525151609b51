"""Whom to tell when a run has failed for good: a URL, an address, or both.

The URL is a secret, because it lets anybody write to the chat: it is in no message, log line or traceback. The reason
of a failure may hold words of ION: in a chat it is text, so it calls nobody and links nowhere.
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
    """Somebody who should be told could not be."""


def failure_sensor(settings: Callable[[], Settings], *, is_on: bool) -> dg.SensorDefinition:
    """Tells of runs that failed and will not be tried again.

    Args:
        settings: Gives the settings when there is something to tell: URLs and passwords are in no definition.
        is_on: Whether it is on without anyone's switching it on: where there is somebody to tell.
    """

    @dg.run_failure_sensor(
        name="run_failed",
        description="Tells ION_NOTIFY_URL and ION_NOTIFY_EMAIL of a failed run.",
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
    )
    def run_failed(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if will_be_tried_again(run.tags):
            return dg.SkipReason("It is tried again.")
        reasons = [event.step_failure_data.error_display_string for event in context.get_step_failure_events()]
        tell(settings(), run.job_name, run.run_id, reasons[0] if reasons else context.failure_event.message or "")
        return None

    return run_failed


def will_be_tried_again(tags: Mapping[str, str]) -> bool:
    """Whether Dagster says of a failed run that another follows it."""
    return tags.get("dagster/will_retry", "false").lower() == "true"


def tell(settings: Settings, job: str, run_id: str, reason: str) -> None:
    """Tell everyone in the settings.

    Args:
        settings: Whom, and how.
        job: The job that failed.
        run_id: Dagster's id of the run.
        reason: Why, as far as known; cut to a length that a chat takes.

    Raises:
        NoticeError: The URL cannot be reached or refuses; the sensor's tick fails and shows it. Mail is sent still.
        SettingsError: The proxy or the certificates that the environment names cannot be used; likewise.
        OSError: The mail cannot be sent; likewise.
    """
    subject = f"ion-pipeline: {job} failed ({settings.environment})"
    heading, why = f"{subject}\nRun {run_id}", visible(reason.strip()[:_LONGEST], keep="\n")
    # One way that fails does not keep it from the other.
    try:
        _chat(settings, heading, why, job=job, run_id=run_id)
    finally:
        if settings.notify_email:
            _mail(settings, subject, f"{heading}\n{why}")


def as_text(text: str) -> str:
    """A text that a chat shows as it is.

    In a block of code nothing is emphasis or calls a name; what Slack and Teams take for a link, a mention or a tag
    even there begins with `<` or `&`, which they want written as HTML has them.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    return f"```\n{escaped}\n```"


def _chat(settings: Settings, heading: str, why: str, **known: str) -> None:
    if not settings.notify_url:
        return
    # `text` is what Slack, Teams and Mattermost show; the rest is for programs.
    document = {"text": f"{heading}\n{as_text(why)}", **known, "environment": settings.environment}
    problem = _post(settings.notify_url.get_secret_value(), document)
    if problem:
        raise NoticeError(f"ION_NOTIFY_URL {problem}.", remedy="Make a new incoming webhook there, and set it.")


def _post(url: str, document: dict[str, str]) -> str:
    """Send it, the way that the environment names for ION too, and say what went wrong.

    httpx's own errors and log lines name the URL.
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
