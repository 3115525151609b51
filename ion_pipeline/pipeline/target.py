"""Where and how a publish is written: checks that before the refresh, sends the publish, and records that."""

import hashlib
from pathlib import Path

import orjson

from ion_pipeline import publish
from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish import PublishError, PublishReport, SendReport
from ion_pipeline.settings import Settings

_POSTGRES = ("postgresql://", "postgres://")


class NotSentError(PublishError):
    """The publish succeeded here, but could not be sent; the target still has the previous publish.

    Attributes:
        report: The publish.
    """

    def __init__(self, message: str, *, remedy: str = "", report: PublishReport) -> None:
        super().__init__(message, remedy=remedy)
        self.report = report


def check_target(settings: Settings, *, to: str | None = None, reporter: Reporter | None = None) -> str:
    """Check the formats and the target of a publish before the publish.

    Args:
        settings: The settings with the default target. If it is unavailable, that is only reported: the files are
            published here anyway, and the target may be available again when the publish is sent.
        to: A target to use instead; it must be available.
        reporter: Receives a note about an unavailable target.

    Returns:
        A sentence about what is wrong with the target at the moment; empty if nothing is, or if there is no target.

    Raises:
        SettingsError: A publish can never be made or sent: the target is not a URI, holds a password, or needs a driver
            that is not installed, or Delta tables are asked for and their library is not installed.
        PublishError: The target in `to` does not answer or refuses the connection.
    """
    if publish.DELTA in settings.publish_format:
        publish.check_library()
    target = to or settings.publish_to
    if not target:
        return ""
    try:
        (publish.check_postgres if target.startswith(_POSTGRES) else publish.check_store)(target)
    except PublishError as error:
        if to:
            raise
        problem = f"ION_PUBLISH_TO: {error.message} The files are published here anyway."
        (reporter or NullReporter()).note(problem)
        return problem
    return ""


def send(settings: Settings, target: str, published: PublishReport, *, on_count: OnCount = unheard) -> SendReport:
    """Send the publish to the target.

    Args:
        settings: The settings.
        target: The target.
        published: The publish.
        on_count: Called with the bytes or tables that are sent.

    Raises:
        NotSentError: The publish could not be sent. If the target is that of the settings, the next refresh publishes
            and sends again, even if ION has nothing new.
    """
    try:
        if target.startswith(_POSTGRES):
            sent = publish.send_to_postgres(
                settings.published_dir, target, resources=resources_of(settings), on_count=on_count
            )
        else:
            sent = publish.send(settings.published_dir, target, keep=settings.publish_keep, on_count=on_count)
    except PublishError as error:
        again = " The next refresh sends it." if target == settings.publish_to else ""
        raise NotSentError(
            f"{published.database} is published, but was not sent: {error.message}",
            remedy=f"{error.remedy}{again}",
            report=published,
        ) from error
    if target == settings.publish_to:
        replace_file(_sent_file(settings), orjson.dumps(_entry(target, sent.publish_id)))
    return sent


def has_formats(settings: Settings) -> bool:
    """Whether the current publish has the formats of the settings."""
    return publish.published_formats(settings.published_dir) == set(settings.publish_format)


def is_sent(settings: Settings) -> bool:
    """Whether the target of the settings has the current publish; True if there is no target."""
    if not settings.publish_to:
        return True
    sent = _sent_file(settings)
    if not sent.is_file():
        return False
    publish_id, _ = publish.current_publish(settings.published_dir)
    return sent.read_bytes() == orjson.dumps(_entry(settings.publish_to, publish_id))


def _sent_file(settings: Settings) -> Path:
    return settings.data_dir / "sent.json"


def _entry(target: str, publish_id: str) -> dict[str, str]:
    # A hash, because the URI's options identify the target but may be confidential.
    return {"target_sha256": hashlib.sha256(target.encode()).hexdigest(), "publish_id": publish_id}
