"""`wufeng demo`: everything at once on this machine: set-up, server, stories, and where to click."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from wufeng.app import Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings, load_settings
from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import print_line, print_table
from wufeng.cli.serving import Process, free_port, running_server
from wufeng.cli.setting import Setting, links, set_up
from wufeng.cli.stories import STORIES, Ending, Stage, Story, find_stories
from wufeng.client import Wufeng

NAME = "demo-"
BEGINS_ON = date(2026, 9, 3)
DATA_DIR = Path("var") / "demo"
FIRST_STORY = "credit"


def command(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="TCP port, 0 for any free one; default: WUFENG_PORT."),
    ] = None,
    end: Annotated[bool, typer.Option("--exit", help="End after the story; also when CI is set.")] = False,
    story: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Which story; said again: one more, in a book of its own. Default: {FIRST_STORY}."
        ),
    ] = None,
    list_stories: Annotated[bool, typer.Option("--list-stories", help="Print which there are.")] = False,
) -> None:
    """Set up a demo installation in var/demo, start the server, play a story, and keep serving.

    Every start makes a book of its own, so it can be started again at any time, also after it was killed.
    """
    if list_stories:
        rows = [(one.name, one.description) for one in find_stories(list(STORIES))]
        print_table(["story", "what is seen in it"], rows)
        return
    stories = find_stories(story or [FIRST_STORY])
    _show(stories, _settings(port), end=end or bool(os.environ.get("CI")))


def _settings(port: int | None) -> Settings:
    """Settings of the demo: a directory of its own, unless WUFENG_DATA_DIR names another; a port that is free."""
    environment = {"WUFENG_DATA_DIR": str(DATA_DIR.absolute())} | dict(os.environ)
    settings = load_settings(environment)
    if settings.database_url is not None:
        raise ConfigurationError("the demo runs on a database of its own: unset WUFENG_DATABASE_URL")
    free = _port_near(settings.port if port is None else port)
    return replace(settings, port=free, webhooks_to_private_addresses=True)


def _port_near(wanted: int) -> int:
    try:
        return free_port(wanted)
    except OSError:
        free = free_port()
        print_line(f"Port {wanted} is taken by another program; the demo takes {free}.", "yellow")
        return free


def _show(stories: Sequence[Story], settings: Settings, *, end: bool) -> None:
    began_s = time.monotonic()
    print_line(f"Wufeng's demo lives in {settings.data_dir}.", "dim")
    scenes = asyncio.run(_prepare(settings, len(stories)))
    books = ", ".join(scene.book for scene in scenes)
    what = "book is" if len(scenes) == 1 else "books are"
    print_line(f"Database and schema are ready; this start's {what} {books}.", "dim")
    log_file = settings.data_dir / "serve.log"
    with running_server(settings, log_file, _environment(scenes[0])) as process:
        url = f"http://127.0.0.1:{settings.port}"
        print_line(f"The server answers on {url} after {time.monotonic() - began_s:.1f} s.\n", "dim")
        for one, scene in zip(stories, scenes, strict=True):
            if len(stories) > 1:
                print_line(f"\n{one.name}: {one.description}", "bold")
            ending = asyncio.run(_play(one, url, scene))
            print_line(f"\nDone in {time.monotonic() - began_s:.0f} s.", "bold")
            _where_to_click(settings, url, scene, ending, has_shop=scene is scenes[0])
        if not end:
            print_line("\nServing until Ctrl-C.", "bold")
            _until_interrupted(process, log_file)


async def _prepare(settings: Settings, count: int) -> list[Setting]:
    """Make the installation as far as it is missing, fresh books on 3 September, and who is in them beforehand."""
    await found(settings, [])
    async with opened(settings, background=Background.OFF) as app:
        taken = {book.name for book in app.books.values()}
    free = [name for n in range(1, 1_000) if (name := f"{NAME}{n}") not in taken][:count]
    drafts = [Draft(name=name, mode=Mode.TEST, buckets=1, begins_on=BEGINS_ON) for name in free]
    founded = await found(settings, drafts)
    keys = founded.secrets.platform_keys
    async with opened(settings, background=Background.OFF) as app:
        return [await set_up(app.services, app.books.named(name), keys[name]) for name in free]


def _environment(scene: Setting) -> Mapping[str, str]:
    """What the server is told beside its settings: the outsider's shop."""
    return os.environ | {
        "WUFENG_WEBHOOKS_TO_PRIVATE_ADDRESSES": "true",
        "WUFENG_DEMO_SHOP_KEY": scene.shop_key,
        "WUFENG_DEMO_SHOP_BOOK": scene.book,
        "WUFENG_DEMO_SHOP_MERCHANT": scene.shop,
        "WUFENG_DEMO_SHOP_WEBHOOK_SECRET": scene.shop_secret,
    }


async def _play(story: Story, url: str, scene: Setting) -> Ending:
    async with Wufeng(url, scene.platform_key, book=scene.book) as operator:
        public = operator.as_caller(None)
        session = await public.staff.sign_in(
            login=scene.supervisor.login, password=scene.supervisor.password, book=scene.book
        )
        stage = Stage(
            url=url,
            book=scene.book,
            operator=operator,
            staff=operator.as_caller(session.token),
            shop=operator.as_caller(scene.shop_key),
            tell=_tell,
        )
        return await story.play(stage)


def _tell(what: str, figures: str) -> None:
    print_line(f"  {what}")
    print_line(f"      {figures}", "cyan")


def _where_to_click(settings: Settings, url: str, scene: Setting, ending: Ending, *, has_shop: bool) -> None:
    print_line("Open one of these; each signs you in, for a day:", "bold")
    shown = asyncio.run(links(settings, url, scene, ending))
    if has_shop:
        shown.append(("an outsider's shop to buy in", f"{url}/shop"))
    for who, link in shown:
        print_line(f"  {who:<32}  {link}")
    print_line("\nOr call the API yourself:", "bold")
    print_line(f"  API reference     {url}/docs   (Authorize with one of these)")
    print_line(f"  platform key      {scene.platform_key}")
    for what, value in ending.credentials:
        print_line(f"  {what:<16}  {value}")
    for staff in (scene.supervisor, scene.analyst):
        print_line(f"  {staff.role.value:<16}  {staff.login} / {staff.password}   (POST /v1/staff_sessions)")
    if ending.read is not None:
        token, path = ending.read
        print_line(f"  try               curl -s -H 'Authorization: Bearer {token}' {url}{path}")
    print_line(
        f"  the ledger        WUFENG_DATA_DIR=var/demo .venv/bin/wufeng ledger verify --book {scene.book}"
    )


def _until_interrupted(process: Process, log_file: Path) -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        print_line("\nStopping.", "dim")
        return
    raise ConfigurationError(f"the server ended by itself; {log_file} says why")
