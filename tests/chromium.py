"""A headless Chromium, driven over its DevTools protocol: opens one local file, offline, and keeps what went wrong."""

import asyncio
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 60
_ANSWER_SECONDS = 60
_BAD = {"error", "warning", "assert"}
_KEYS = {"Enter": 13, "Tab": 9, " ": 32, "Escape": 27}


def binary() -> str | None:
    """The browser on the path, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def address(path: Path) -> str:
    """A file as the browser calls it."""
    return path.absolute().as_uri()


@dataclass
class Page:
    """The one tab. `problems` are console errors, exceptions and failed requests; `requests` all that was asked for."""

    socket: aiohttp.ClientWebSocketResponse
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something, and wait for its answer."""
        number = next(self._ids)
        self.answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(self.answers[number], _ANSWER_SECONDS)

    async def listen(self) -> None:
        """Sort what the browser says, until it is gone."""
        async for message in self.socket:
            said = message.json()
            if "id" in said:
                future = self.answers.pop(said["id"])
                if "error" in said:
                    future.set_exception(RuntimeError(str(said["error"])))
                else:
                    future.set_result(said["result"])
                continue
            self._hear(said["method"], said["params"])

    def _hear(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self.loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif (
            method in {"Runtime.exceptionThrown", "Network.loadingFailed", "Page.javascriptDialogOpening"}
            or (method == "Log.entryAdded" and parameters["entry"]["level"] in _BAD)
            or (method == "Runtime.consoleAPICalled" and parameters["type"] in _BAD)
        ):
            self.problems.append(f"{method}: {parameters}")

    async def open(self, address: str) -> None:
        """Go to an address with the network off."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
        self.loaded.clear()
        await self.call("Page.navigate", url=address)
        await asyncio.wait_for(self.loaded.wait(), _ANSWER_SECONDS)

    async def run(self, expression: str) -> Any:
        """The value of a JavaScript expression. Runs in the page, yet the page's policy does not bind it."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key, as a person does."""
        code = {"windowsVirtualKeyCode": _KEYS[key], "key": key, "code": "Space" if key == " " else key}
        typed = {"Enter": "\r", " ": " "}.get(key)
        text = {"text": typed} if typed else {}
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, modifiers=8 * shift, **code, **(text if kind == "keyDown" else {})
            )

    async def write(self, text: str) -> None:
        """Type into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def emulate(self, *, width: int, dark: bool = False, print_: bool = False) -> None:
        """Another width, the dark scheme, or paper."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 700
        )
        await self.call(
            "Emulation.setEmulatedMedia",
            media="print" if print_ else "screen",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Page]:
    """A browser with this file open, gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            binary() or "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "about:blank",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tab = next(each for each in await answer.json() if each["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    listening = asyncio.create_task(page.listen())
                    await page.open(address(path))
                    yield page
                    listening.cancel()
                    with suppress(asyncio.CancelledError):
                        await listening
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), _START_SECONDS)


async def _port(profile: Path) -> int:
    """Which port the browser took: it writes that into its profile once it answers there."""
    port_file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_SECONDS):
        while not (port_file.exists() and port_file.read_text(encoding="ascii").strip()):  # noqa: ASYNC110 -- a file
            await asyncio.sleep(0.05)
    return int(port_file.read_text(encoding="ascii").splitlines()[0])
