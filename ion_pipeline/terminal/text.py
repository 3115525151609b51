"""All text for the terminal goes through this module, so that it is never interpreted.

No string is markup, and no character that is printed controls the terminal: colours are styles that are passed next to
the text (`styled`), never inside it.
"""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ion_pipeline.plain import visible


def plain(text: str, style: str = "") -> Text:
    """Text from ION for a cell or a branch, on one line, with visible control characters."""
    return Text(visible(text), style=style)


def styled(*parts: str | tuple[str, str]) -> Text:
    """A line of several texts, some with a style: `styled(("error:", "red"), " what happened")`."""
    line = Text()
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        line.append(visible(text, keep="\n"), style=style)
    return line


class PlainConsole(Console):
    """A console that never interprets markup or emoji codes and never highlights.

    Args:
        **options: The options of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "markup": False, "emoji": False, "highlight": False})

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string as plain text; of rich's features only the style applies."""
        return super().render_str(visible(text, keep="\n"), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, and make the remaining control characters of its text visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, keep="\n"))
