"""Where a publish is sent as well: asked before the long work, sent after it, and remembered once it is there."""

import hashlib
from pathlib import Path

import orjson

from ion_pipeline import publish
from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish import PublishError, PublishReport, SendReport
from ion_pipeline.settings import Settings

_POSTGRES = ("postgresql://", "postgres://")


class NotSentError(PublishError):
    """What readers of files see is new; the place that it is sent to as well has the publish before.

    Attributes:
        report: What was published here.
    """

    def __init__(self, message: str, *, remedy: str = "", report: PublishReport) -> None:
        super().__init__(message, remedy=remedy)
        self.report = report


def check_target(settings: Settings, *, to: str | None = None, reporter: Reporter | None = None) -> str:
    """Ask the place that a publish is sent to, before there is one.

    Args:
        settings: Their target is where each publish goes. One that is away for now is only told of: it keeps nothing
            from the readers of files, and may be back when there is something to send.
        to: A target that somebody asks for just now instead; it has to answer.
        reporter: Receives a note about a target that is away.

    Returns:
        What is wrong with the target for now, in a sentence; empty if nothing is, or there is no target.

    Raises:
        SettingsError: It can never be sent there: no URI, a password in it, or its driver is not installed.
        PublishError: What was asked for just now does not answer or refuses.
    """
    target = to or settings.publish_to
    if not target:
        return ""
    try:
        (publish.check_postgres if target.startswith(_POSTGRES) else publish.check_store)(target)
    except PublishError as error:
        if to:
            raise
        trouble = f"ION_PUBLISH_TO: {error.message} What is published here does not wait for it."
        (reporter or NullReporter()).note(trouble)
        return trouble
    return ""


def send(settings: Settings, target: str, published: PublishReport) -> SendReport:
    """Send what has just been published.

    Raises:
        NotSentError: It stands here and is not there. Where the target is that of the settings, the next refresh
            publishes and sends again, also when ION has nothing new.
    """
    try:
        if target.startswith(_POSTGRES):
            sent = publish.send_to_postgres(settings.published_dir, target, resources=resources_of(settings))
        else:
            sent = publish.send(settings.published_dir, target, keep=settings.publish_keep)
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


def is_sent(settings: Settings) -> bool:
    """Whether the target of the settings, if there is one, has what is published here."""
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
    # Its options may be nobody's business, and they are part of which place it is.
    return {"target_sha256": hashlib.sha256(target.encode()).hexdigest(), "publish_id": publish_id}
