"""`wufeng bench web`: the weight and the time of the pages that are looked at most."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from msgspec import Struct
from msgspec.structs import asdict

from wufeng.app import App, Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings
from wufeng.bench.measure import run_engine
from wufeng.bench.web import REFERENCE, PageView, WebFigures, first_load_kb, page_ms
from wufeng.bench.world import make_world
from wufeng.cli.measuring import BOOK, parts_of, scratch_settings, served
from wufeng.cli.output import AsJson, print_json, print_table
from wufeng.cli.play import play_stream
from wufeng.client import InlineOrder, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.identity.staff.commands import create_staff, sign_in_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.lab.play import PlaySettings, read_stream

AMOUNT_MINOR = 129_900
PLAYED_DAYS = 14


class _Arranged(Struct, frozen=True):
    """Who looks at what. `key` is the platform's, in the person's book."""

    home: PageView
    overview: PageView | None
    payments: int
    played: int | None
    key: str


def web(
    stream: Annotated[
        Path | None,
        typer.Option(help="A Parquet file of card payments: two weeks are played before the overview."),
    ] = None,
    times: Annotated[int, typer.Option(min=10, help="How often each page is asked for.")] = 200,
    as_json: AsJson = False,
) -> None:
    """The first load of home and checkout in kilobytes, and the server's time for them and for the overview."""
    with scratch_settings() as settings:
        arranged = uvloop.run(_arrange(settings, stream))
        with served(settings, 1) as server:
            checkout = uvloop.run(_checkout(server.port, arranged.key, arranged.home.cookie))
            views = {"home": arranged.home, "checkout": checkout, "reference": PageView(REFERENCE, "")}
            if arranged.overview is not None:
                views["overview"] = arranged.overview
            taken = page_ms(server.port, views, times)
            figures = WebFigures(
                home_kb=first_load_kb(server.port, arranged.home),
                checkout_kb=first_load_kb(server.port, checkout),
                home_ms=taken["home"],
                checkout_ms=taken["checkout"],
                overview_ms=taken.get("overview"),
                reference_ms=taken["reference"],
                payments_of_person=arranged.payments,
                payments_before_overview=arranged.played,
            )
    if as_json:
        print_json(figures)
    else:
        rows = [
            (name.replace("_", " "), "" if value is None else f"{value:,}")
            for name, value in asdict(figures).items()
        ]
        print_table(["", "figure"], rows)


async def _arrange(settings: Settings, stream: Path | None) -> _Arranged:
    """A person with a line and a history; with a stream also a town's fortnight, and somebody of its staff."""
    founded = await found(settings, [Draft(name=BOOK, mode=Mode.TEST)])
    async with opened(settings, background=Background.OFF) as app:
        parts = parts_of(app)
        world = await make_world(parts, 1)
        point = await run_engine(parts, world, 1, 1.0)
        await app.services.followers.catch_up()
        cookie = f"wufeng_person={world.payers[0].token}"
    overview, played = None, None
    if stream is not None:
        done = await play_stream(settings, read_stream(stream, PLAYED_DAYS), PlaySettings(), lambda *_: None)
        played = done.payments
        async with opened(settings, background=Background.OFF) as app:
            overview = PageView("/console", f"wufeng_staff={await _staff(app, done.book)}")
    return _Arranged(
        PageView("/app", cookie),
        overview,
        round(point.per_second),
        played,
        founded.secrets.platform_keys[BOOK],
    )


async def _staff(app: App, book: str) -> str:
    services, password = app.services, Private(secrets.token_urlsafe(12))
    at = services.clock.now()
    async with services.database.transaction() as db:
        await create_staff(
            db,
            services.vault,
            services.ids,
            "bench",
            "Bench",
            password,
            Role.ANALYST,
            [app.books.named(book)],
            at,
        )
    opened_ = await sign_in_staff(
        services.database, services.vault, services.ids, services.books, "bench", password, book, at
    )
    return opened_.token


async def _checkout(port: int, key: str, cookie: str) -> PageView:
    """The page of a fresh order, made as a shop would."""
    async with Wufeng(f"http://127.0.0.1:{port}", key) as operator:
        shop = await operator.merchants.create(name="Bench", scene="retail", fee_plan=FeePlan(6_000))
        merchant = operator.as_caller(shop.api_key)
        order = await merchant.orders.create(
            InlineOrder(order_no="web", amount_minor=AMOUNT_MINOR, currency="CNY", subject="Desk")
        )
        session = await merchant.checkout_sessions.create(order=order.id, return_url="https://shop.example/")
    return PageView(session.url, cookie)
