"""`wufeng demo`: everything at once on this machine: set-up, server, a story, and where to click."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import httpx
import typer
from msgspec.structs import replace

from wufeng.app import Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings, load_settings
from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import print_line
from wufeng.cli.setting import Setting, links, set_up
from wufeng.cli.story import Cast, tell_story
from wufeng.client import Wufeng

NAME = "demo-"
BEGINS_ON = date(2026, 9, 3)
STARTS_WITHIN_S = 60
DATA_DIR = Path("var") / "demo"


def command(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="TCP port, 0 for any free one; default: WUFENG_PORT."),
    ] = None,
    end: Annotated[bool, typer.Option("--exit", help="End after the story; also when CI is set.")] = False,
) -> None:
    """Set up a demo installation in var/demo, start the server, play two months of credit, and keep serving.

    Every start makes a book of its own, so it can be started again at any time, also after it was killed.
    """
    began_s = time.monotonic()
    settings = _settings(port)
    end = end or bool(os.environ.get("CI"))
    print_line(f"Wufeng's demo lives in {settings.data_dir}.", "dim")
    scene = asyncio.run(_prepare(settings))
    print_line(f"Database and schema are ready; this start's book is {scene.book}.", "dim")
    with _server(settings, scene) as process:
        url = f"http://127.0.0.1:{settings.port}"
        _wait(process, url)
        print_line(f"The server answers on {url} after {time.monotonic() - began_s:.1f} s.\n", "dim")
        cast = asyncio.run(_play(url, scene))
        _where_to_click(settings, url, scene, cast, time.monotonic() - began_s)
        if not end:
            print_line("\nServing until Ctrl-C.", "bold")
            _until_interrupted(process)


def _settings(port: int | None) -> Settings:
    """Settings of the demo: a directory of its own, unless WUFENG_DATA_DIR names another; a port that is free."""
    environment = {"WUFENG_DATA_DIR": str(DATA_DIR.absolute())} | dict(os.environ)
    settings = load_settings(environment)
    if settings.database_url is not None:
        raise ConfigurationError("the demo runs on a database of its own: unset WUFENG_DATABASE_URL")
    wanted = settings.port if port is None else port
    free = _free(wanted)
    if free is None:
        free = _free(0)
        print_line(f"Port {wanted} is taken by another program; the demo takes {free}.", "yellow")
    return replace(settings, port=free, webhooks_to_private_addresses=True)


def _free(port: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        found_port: int = probe.getsockname()[1]
        return found_port


async def _prepare(settings: Settings) -> Setting:
    """Make the installation as far as it is missing, a fresh book on 3 September, and who is in it beforehand."""
    await found(settings, [])
    async with opened(settings, background=Background.OFF) as app:
        names = {book.name for book in app.books.values()}
    name = next(f"{NAME}{n}" for n in range(1, 1_000) if f"{NAME}{n}" not in names)
    founded = await found(settings, [Draft(name=name, mode=Mode.TEST, buckets=1, begins_on=BEGINS_ON)])
    async with opened(settings, background=Background.OFF) as app:
        return await set_up(app.services, app.books.named(name), founded.secrets.platform_keys[name])


@contextmanager
def _server(settings: Settings, scene: Setting) -> Iterator["subprocess.Popen[bytes]"]:
    """`wufeng serve` as a process of its own; its log goes into a file."""
    environment = os.environ | {
        "WUFENG_DATA_DIR": str(settings.data_dir),
        "WUFENG_PORT": str(settings.port),
        "WUFENG_WEBHOOKS_TO_PRIVATE_ADDRESSES": "true",
        "WUFENG_DEMO_SHOP_KEY": scene.shop_key,
        "WUFENG_DEMO_SHOP_BOOK": scene.book,
        "WUFENG_DEMO_SHOP_MERCHANT": scene.shop,
        "WUFENG_DEMO_SHOP_WEBHOOK_SECRET": scene.shop_secret,
    }
    with (settings.data_dir / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "wufeng.cli", "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the demo, which stops the server in its turn
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STARTS_WITHIN_S)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise ConfigurationError("the server did not start; var/demo/serve.log says why")
        try:
            if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise ConfigurationError(f"the server did not answer within {STARTS_WITHIN_S} s; see var/demo/serve.log")


async def _play(url: str, scene: Setting) -> Cast:
    async with Wufeng(url, scene.platform_key, book=scene.book) as operator:
        public = operator.as_caller(None)
        session = await public.staff.sign_in(
            login=scene.supervisor.login, password=scene.supervisor.password, book=scene.book
        )
        shop = operator.as_caller(scene.shop_key)
        return await tell_story(operator, operator.as_caller(session.token), shop, _tell)


def _tell(what: str, figures: str) -> None:
    print_line(f"  {what}")
    print_line(f"      {figures}", "cyan")


def _where_to_click(settings: Settings, url: str, scene: Setting, cast: Cast, took_s: float) -> None:
    print_line(f"\nDone in {took_s:.0f} s. Open one of these; each signs you in, for a day:", "bold")
    for who, link in asyncio.run(links(settings, url, scene, cast)):
        print_line(f"  {who:<32}  {link}")
    print_line("\nOr call the API yourself:", "bold")
    print_line(f"  API reference     {url}/docs   (Authorize with one of these)")
    print_line(f"  platform key      {scene.platform_key}")
    print_line(f"  shop's key        {cast.merchant_key}")
    print_line(f"  person's session  {cast.session}")
    print_line(f"  payment PIN       {cast.pin}   (of everybody here)")
    for staff in (scene.supervisor, scene.analyst):
        print_line(f"  {staff.role.value:<16}  {staff.login} / {staff.password}   (POST /v1/staff_sessions)")
    print_line(
        f"  try               curl -s -H 'Authorization: Bearer {cast.session}' {url}/v1/bills/{cast.bill}"
    )
    print_line(
        f"  the ledger        WUFENG_DATA_DIR=var/demo .venv/bin/wufeng ledger verify --book {scene.book}"
    )


def _until_interrupted(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        print_line("\nStopping.", "dim")
        return
    raise ConfigurationError("the server ended by itself; var/demo/serve.log says why")
