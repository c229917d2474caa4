"""The demo as a stranger starts it, and a real browser to look at it with."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import Struct

from wufeng.app import Draft, found
from wufeng.base.books import Mode
from wufeng.base.config import Settings
from wufeng.cli import serving

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
STARTS_WITHIN_S = 120
_LINK = re.compile(r"^  (?P<who>\S.*?)\s+(?P<url>http://127\.0\.0\.1:\d+/(?:demo|shop)\S*)$", re.MULTILINE)
_STAFF = re.compile(r"^  supervisor\s+(?P<login>\S+) / (?P<password>\S+)", re.MULTILINE)
_KEY = re.compile(r"^  platform key\s+(?P<key>\S+)", re.MULTILINE)
_TILL = re.compile(r"^  shop's key\s+(?P<key>\S+)", re.MULTILINE)
_BOOK = re.compile(r"this start's book is (?P<book>\S+?)\.")
# A form refused on purpose is told by the browser as a failed load: the status is what the test looks at.
_EXPECTED = re.compile(
    r"Failed to load resource: the server responded with a status of (?:402|403|404|409|422)"
)

# The address bar of a window that nobody sees is a page of Chromium's own, which takes longer at each page that is
# loaded than that page does; a process in reserve is as dear. Of several such switches only the last counts, so what
# Playwright turns off is repeated.
_UNUSED = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip


class Demo(Struct, frozen=True):
    """A running demo. `links` sign in as its people."""

    url: str
    book: str
    key: str
    till_key: str
    login: str
    password: str
    links: Mapping[str, str]


def chromium() -> str:
    """The browser; without one the tests of pages are skipped. The shell has the same engine, and draws no window."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium here: `make setup-browser` installs it")


@contextmanager
def running_demo() -> Iterator[Demo]:
    """`wufeng demo` as a process of its own, until the end of the block.

    Not under pytest's own directories: the database's account may not pass through them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wufeng-demo-", ignore_cleanup_errors=True) as scratch,
        _started(Path(scratch) / "data") as demo,
    ):
        yield demo


@contextmanager
def _started(directory: Path) -> Iterator[Demo]:
    environment = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("WUFENG_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "wufeng.cli", "demo", "--port", "0"],
        env=environment | {"WUFENG_DATA_DIR": str(directory), "COLUMNS": "400", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    late = threading.Timer(STARTS_WITHIN_S, process.kill)
    late.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Serving until" in line:
                break
        late.cancel()
        assert "Serving until" in said, said
        yield _read(said)
    finally:
        late.cancel()
        process.terminate()  # an interrupt is ignored by what was started in the background
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            for one in (*psutil.Process(process.pid).children(recursive=True), process):
                one.kill()  # the server is in a session of its own


def _read(said: str) -> Demo:
    links = {match["who"]: match["url"] for match in _LINK.finditer(said)}
    staff, key, till, book = (p.search(said) for p in (_STAFF, _KEY, _TILL, _BOOK))
    assert staff and key and till and book, said
    url = re.match(r"http://127\.0\.0\.1:\d+", next(iter(links.values())))
    assert url is not None
    return Demo(url[0], book["book"], key["key"], till["key"], staff["login"], staff["password"], links)


class Windows:
    """Browser windows of one test, and what their consoles complained of."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []

    async def open(
        self,
        *,
        language: str = "en",
        size: str = "phone",
        theme: str = "light",
        scripts: bool = True,
    ) -> Any:
        """A window with cookies of its own. Whatever its console says is a complaint."""
        width, height = SIZES[size]
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            locale={"zh": "zh-CN", "en": "en-GB"}[language],
            color_scheme=theme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda message: self._hear(page, message))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    async def close(self) -> None:
        """Close them, and forget what they kept."""
        for context in self._contexts:
            await context.close()

    def _hear(self, page: Any, message: Any) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            self.complaints.append(f"{page.url}: {message.type}: {message.text}")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Any]:
    """A Chromium for a block."""
    api = pytest.importorskip("playwright.async_api", reason="Playwright is not installed")
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", f"--disable-features={','.join(_UNUSED)}"]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def browsing(browser: Any) -> AsyncIterator[Windows]:
    """Windows for a block. Anything that a console complained of fails the test at its end."""
    windows = Windows(browser)
    try:
        yield windows
    finally:
        await windows.close()
    assert windows.complaints == [], "\n".join(windows.complaints)


class Server:
    """A server process that can be killed and started again on the same port. `demo` says who may sign in."""

    def __init__(self, settings: Settings, demo: Demo) -> None:
        self._settings = settings
        self.demo = demo
        self._process: serving.Process | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WUFENG_")}
        log_file = self._settings.data_dir / "serve.log"
        self._process = serving.start_server(self._settings, log_file, environment)

    def configure(self, toml: str) -> None:
        """Write its wufeng.toml, which its next start reads."""
        (self._settings.data_dir / "wufeng.toml").write_text(toml, encoding="utf-8")

    def kill(self) -> None:
        """End it at once, with its workers, as a power cut would."""
        if self._process is not None:
            serving.kill_server(self._process)
            self._process = None


@asynccontextmanager
async def running_server() -> AsyncIterator[Server]:
    """An installation with a test book, and its server, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="wufeng-web-", ignore_cleanup_errors=True) as scratch:
        settings = Settings(data_dir=Path(scratch) / "data", port=serving.free_port())
        founded = await found(settings, [Draft(name="test", mode=Mode.TEST)])
        login, password = founded.secrets.staff_login, founded.secrets.staff_password
        assert login is not None and password is not None
        url = f"http://127.0.0.1:{settings.port}"
        demo = Demo(url, "test", founded.secrets.platform_keys["test"], "", login, password, {})
        server = Server(settings, demo)
        try:
            server.start()
            yield server
        finally:
            server.kill()
