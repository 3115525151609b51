"""The page: one file that loads nothing else. Its content security policy allows only what it needs."""

import base64
import hashlib
from datetime import datetime
from importlib.resources import files

from ion_pipeline.report import numbers
from ion_pipeline.report.markup import Child, Markup, tag
from ion_pipeline.report.model import Report
from ion_pipeline.report.search_index import search_index
from ion_pipeline.report.sections import key_figures, sections


def page(report: Report) -> str:
    """The report as HTML."""
    script = _static("report.js")
    made = sections(report)
    tenant = report.load.tenant if report.load else "no tenant"
    as_of = numbers.instant(report.load.read_at) if report.load else numbers.DASH
    body = tag(
        "body",
        tag("a", "Skip to the figures", href="#main", class_="skip"),
        tag(
            "header",
            tag("h1", "Quality report"),
            tag(
                "p",
                tag("b", tenant),
                moment(", as of", report.load.read_at if report.load else None),
                moment(", published", report.published_at),
                moment(", newest change", _newest(report)),
            ),
            tag("nav", [tag("a", title, href=f"#{name}") for name, (title, _) in made.items()], aria_label="Sections"),
        ),
        tag("main", key_figures(report), [content for _, content in made.values()], id="main", tabindex=-1),
        search_index(report),
        tag("script", script),
    )
    return document(f"Quality report, {tenant}, {as_of} UTC", body, script)


def document(title: str, body: Markup, script: Markup | None = None) -> str:
    """A page with the style sheet of the report and a policy that allows nothing but what is on it.

    Args:
        title: The title of the page.
        body: The `body` element.
        script: The text of the one script in it, if there is one.
    """
    style = _static("report.css")
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    policy = f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", style),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _newest(report: Report) -> datetime | None:
    return max((each.watermark_at for each in report.freshness if each.watermark_at is not None), default=None)


def moment(name: str, at: datetime | None) -> Child:
    """A name and an instant that a line break does not divide."""
    return [f"{name} ", tag("span", f"{numbers.instant(at)} UTC" if at else numbers.DASH, class_="whole")]


def _static(name: str) -> Markup:
    return Markup(files("ion_pipeline.report").joinpath("static", name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
