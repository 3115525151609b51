"""Takes the pictures of the README: docs/{recall,yield,superset}.png.

    ion-pipeline demo
    python -m docs.pictures --superset superset

Run it at the top of the repository, after the demo. It needs Chromium on the path and, for the dashboard, an
environment with Superset (the first lines of tests/integration/test_superset.py); without one, that picture stays as it
is. The pictures show the demo of the day: the texts of the pictures in README.md and docs/bi.md have its numbers.
"""

import argparse
import asyncio
import base64
import tempfile
from pathlib import Path

from ion_pipeline.dashboard import write_dashboard
from ion_pipeline.report import write_recall, write_report
from ion_pipeline.settings import Settings, load_settings
from tests.chromium import Page, opened
from tests.superset_server import USER, Superset, imported, running

DOCS = Path(__file__).parent
LOT = "PLT-BAD-POWDER"
MAX_BYTES = 200_000
_WAIT_SECONDS = 60.0
_DASHBOARD = (1280, 830)


async def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    async with asyncio.timeout(_WAIT_SECONDS):
        while not await page.run(f"Boolean({condition})"):  # noqa: ASYNC110 -- the page does not say it by itself
            await asyncio.sleep(0.2)


async def window(page: Page, width: int, height: int) -> None:
    """Give the page a window of this size."""
    await page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    await page.call("Emulation.setScrollbarsHidden", hidden=True)


async def save(page: Page, name: str, *, width: int, height: int, top: float = 0) -> None:
    """Write a part of the page as PNG, from `top` on.

    Raises:
        ValueError: The picture is too large for the README.
    """
    await window(page, width, height)
    await page.run(f"window.scrollTo(0, {top})")
    # Not beyond the window: Superset would draw the dashboard again, and be empty meanwhile.
    taken = await page.call("Page.captureScreenshot", format="png")
    content = base64.b64decode(taken["data"])
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} has {len(content):,} bytes")
    (DOCS / name).write_bytes(content)
    print(f"docs/{name}: {len(content):,} bytes")


async def take_pages(settings: Settings, folder: Path) -> None:
    """The recall page of a lot, and the report's yield by product and step."""
    write_recall(settings, folder / "recall.html", [LOT])
    async with opened(folder / "recall.html") as page:
        await save(page, "recall.png", width=1000, height=640)
    write_report(settings, folder / "report.html", units=1)
    async with opened(folder / "report.html") as page:
        await window(page, 1000, 520)
        await page.run("document.querySelector('#yield-products').closest('details')?.setAttribute('open', '')")
        top = await page.run(
            "document.querySelector('#yield-filter').getBoundingClientRect().top + window.scrollY - 60"
        )
        await save(page, "yield.png", width=1000, height=520, top=top)


async def take_dashboard(superset: Superset, dashboard: int, folder: Path) -> None:
    """The first tab of the dashboard."""
    blank = folder / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>")
    async with opened(blank) as page:
        await page.call(
            "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
        await window(page, *_DASHBOARD)
        # A form of our own: the one of Superset has no stable names.
        await page.run(
            f"document.body.innerHTML = '<form method=post action={superset.address}/login/>"
            f"<input name=username value={USER}><input name=password value={superset.password}></form>';"
            "document.forms[0].submit()"
        )
        await until(page, f"location.href.startsWith('{superset.address}') && document.readyState == 'complete'")
        await page.call("Page.navigate", url=f"{superset.address}/superset/dashboard/{dashboard}/?standalone=2")
        await until(
            page,
            "document.querySelectorAll('.grid-container canvas').length >= 2 "
            "&& document.querySelector('.grid-container table') && !document.querySelector('.grid-container .loading')",
        )
        await asyncio.sleep(2)  # The lines of the charts are drawn with an animation.
        await save(page, "superset.png", width=_DASHBOARD[0], height=_DASHBOARD[1])


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir", type=Path, help="data directory of the demo; data/embedded if not given")
    parser.add_argument("--superset", type=Path, help="a Python environment with Superset")
    arguments = parser.parse_args()
    settings = load_settings(environment="embedded", **({"data_dir": arguments.data_dir} if arguments.data_dir else {}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(take_pages(settings, folder))
        if arguments.superset:
            write_dashboard(settings, folder / "superset.zip")
            with running(arguments.superset, folder) as superset:
                dashboard, _ = imported(superset, folder / "superset.zip")
                asyncio.run(take_dashboard(superset, dashboard, folder))


if __name__ == "__main__":
    main()
