"""The one seam between text and the terminal: on these consoles text is text.

No string is markup, and no character in what is printed controls the terminal: colours are given as styles beside the
text (`styled`), never inside it.
"""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ion_pipeline.plain import visible


def plain(text: str, style: str = "") -> Text:
    """Text of ION for a cell or a branch, on one line, with its control characters visible."""
    return Text(visible(text), style=style)


def styled(*parts: str | tuple[str, str]) -> Text:
    """A line of several texts, some of them in a style: `styled(("error:", "red"), " what happened")`."""
    line = Text()
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        line.append(visible(text, keep="\n"), style=style)
    return line


class PlainConsole(Console):
    """A console without markup, emoji codes and guesses at highlighting, whatever is printed.

    Args:
        **options: As rich takes them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "markup": False, "emoji": False, "highlight": False})

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as text: of rich's own features only the style is taken."""
        return super().render_str(visible(text, keep="\n"), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever a renderable makes: what is left of controls in its text is made visible here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, keep="\n"))
