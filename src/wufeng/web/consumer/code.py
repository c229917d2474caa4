"""The pay code: shown to a till's scanner, fresh each minute, made by the phone itself where there is no connection."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng import credit, ledger
from wufeng.base.database import Connection
from wufeng.base.errors import Code, invalid_field
from wufeng.base.ids import Prefix, encode, first_id_of
from wufeng.client import ApiProblem, PayCode, Source
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.offers import PriceOption
from wufeng.credit.products.model import Product
from wufeng.identity.people.queries import standing_of_person
from wufeng.ledger import AccountKind, account_id
from wufeng.payments import Funding, PaymentFilter, list_payments
from wufeng.payments.orders.model import Channel
from wufeng.payments.pay_codes import rules
from wufeng.payments.pay_codes.model import Choice
from wufeng.payments.pay_codes.queries import choice_of_device
from wufeng.web.barcode import code128_svg
from wufeng.web.common import ASSETS
from wufeng.web.consumer.reading import Shown, shown
from wufeng.web.merchant.orders import qr_svg
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import as_markup

BY_CODE = frozenset({Channel.PAY_CODE, Channel.OFFLINE_CODE})
EXAMPLE_MINOR = 1_000_00
"""An amount that prices are shown for: what the till will ask is not known yet."""

ROUNDS = 15 * 60
LOOKS_EVERY_S = 1.0
LATEST = 5
SHELL = "/app/code/offline"
WORKER_FILES = ("wufeng.css", "wufeng.js", "paycode.js", "mark.svg")


class Way(Struct, frozen=True):
    """One thing that the code may pay with. `value` names it in the form; `price` of a line is for the example."""

    value: str
    funding: Funding
    price: PriceOption | None = None


class Ways(Struct, frozen=True):
    """The ways of one line, with its product's name."""

    name: str
    ways: tuple[Way, ...]


async def show_code(visit: Visit) -> Reply:
    """A fresh code to show, what it pays with, and what came of the last one."""
    return await _show(visit)


async def choose(visit: Visit) -> Reply:
    """What the codes of this phone pay with from now on."""
    async with visit.services.database.read() as db:
        wallet, lines = await _ways(visit, db)
        wallet_id = await _wallet_of(visit, db)
    chosen = next(
        (
            way
            for way in (wallet, *(way for line in lines for way in line.ways))
            if way.value == visit.field("with")
        ),
        None,
    )
    if chosen is None:
        return await _show(visit, error="choice", status=422)
    funding = chosen.funding
    source = (
        Source(line=encode(Prefix.LINE, funding.line_id), tenor=funding.tenor)
        if funding.line_id is not None
        else Source(wallet=encode(Prefix.WALLET, wallet_id))
    )
    await visit.api.pay_codes.create(funding=[source])
    return visit.go("/app/code")


async def refresh(visit: Visit) -> Reply:
    """The next code, for the page's script; with the phone's enrolment, if it asks for one."""
    made = await visit.api.pay_codes.create(enrol=visit.field("enrol") == "yes" or None)
    assert visit.caller.device_id is not None, "the API makes no code without a device"
    async with visit.services.database.read() as db:
        choice = await choice_of_device(db, visit.book, visit.caller.id, visit.caller.device_id)
    return _json(visit, made, choice)


async def stop(visit: Visit) -> Reply:
    """End all codes of this phone."""
    try:
        await visit.api.pay_codes.stop()
    except ApiProblem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
    return visit.show("consumer/pay_code_stopped.html")


async def show_shell(visit: Visit) -> Reply:
    """The page that a phone keeps for when it has no connection: nothing in it is about anybody."""
    return visit.show("consumer/pay_code_offline.html", **_bounds(visit))


async def worker(_: Visit) -> Reply:
    """The script that keeps that page: at the head of the pages that it is for, and looked for anew each time."""
    files = [SHELL, *(ASSETS[name].url for name in WORKER_FILES)]
    source = ASSETS["worker.js"].body.decode().replace("[/* files */]", msgspec.json.encode(files).decode())
    headers = ((b"cache-control", b"no-cache"),)
    return Reply(body=source.encode(), media_type="text/javascript; charset=utf-8", headers=headers)


async def manifest(visit: Visit) -> Reply:
    """What a phone needs to install the app."""
    described = {
        "name": visit.gettext("Wufeng"),
        "short_name": visit.gettext("Wufeng"),
        "start_url": "/app",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f5f7",
        "theme_color": "#0a6652",
        "icons": [{"src": ASSETS["mark.svg"].url, "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        "shortcuts": [{"name": visit.gettext("Pay code"), "url": "/app/code"}],
    }
    return Reply(body=msgspec.json.encode(described), media_type="application/manifest+json")


async def live(visit: Visit) -> Reply:
    """What becomes of the code on the screen, as it comes."""
    return Reply(
        media_type="text/event-stream",
        stream=_changes(visit, _instant(visit.field("since")), visit.field("seen")),
    )


async def _changes(visit: Visit, since: datetime, seen: str) -> AsyncIterator[bytes]:
    """One indexed read a second of what this person has paid by code since the page was opened."""
    for _ in range(ROUNDS):
        newest = await _newest(visit, since)
        if _state(newest) != seen:
            yield _event(visit, since, newest)
            seen = _state(newest)
        await asyncio.sleep(LOOKS_EVERY_S)
        yield b": still here\n\n"


async def _newest(visit: Visit, since: datetime) -> Shown | None:
    book, first = visit.book, first_id_of(since)
    async with visit.services.database.read() as db:
        wanted = PaymentFilter(payer_id=visit.caller.id)
        found = await list_payments(db, book, wanted, None, LATEST)
        by_code = [one for one in found if one.channel in BY_CODE and one.id >= first]
        return (await shown(visit, db, by_code[:1]))[0] if by_code else None


def _state(newest: Shown | None) -> str:
    return f"{newest.payment.id}.{newest.state}" if newest is not None else ""


def _event(visit: Visit, since: datetime, newest: Shown | None) -> bytes:
    html = visit.show("consumer/_pay_code_live.html", **_live_of(since, newest)).body.decode()
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"event: state\n{lines}\n".encode()


def _live_of(since: datetime, newest: Shown | None) -> dict[str, Any]:
    return {"since": _millis(since), "newest": newest, "seen": _state(newest)}


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    device_id = visit.caller.device_id
    if device_id is None:  # a session older than devices
        return visit.show("consumer/pay_code_stopped.html", status=409)
    made = await visit.api.pay_codes.create()
    async with visit.services.database.read() as db:
        choice = await choice_of_device(db, visit.book, visit.caller.id, device_id)
        wallet, lines = await _ways(visit, db)
        balance_minor = await _balance_of(visit, db)
    assert choice is not None, "showing a code keeps a choice"
    return visit.show(
        "consumer/pay_code.html",
        status=status,
        error=error,
        wallet=wallet,
        lines=lines,
        balance_minor=balance_minor,
        example_minor=EXAMPLE_MINOR,
        chosen=_value(choice.funding),
        handle=_handle(choice),
        at_millis=_millis(made.created_at),
        **_drawn(visit, made),
        **_bounds(visit),
        **_live_of(visit.at, None),
    )


def _drawn(visit: Visit, made: PayCode) -> dict[str, Any]:
    title = visit.gettext("Pay code")
    return {
        "digits": rules.grouped(made.code),
        "barcode": as_markup(code128_svg(made.code, title)),
        "qr": as_markup(qr_svg(made.code, title)),
    }


def _bounds(visit: Visit) -> dict[str, Any]:
    bounds = visit.services.catalogue.limits.offline
    return {"offline_payment_minor": bounds.payment_max_minor, "offline_day_minor": bounds.day_max_minor}


def _json(visit: Visit, made: PayCode, choice: Choice | None) -> Reply:
    """A code with its pictures, as the page's script takes it. `handle` names the enrolment that the phone has now."""
    drawn = {name: str(value) for name, value in _drawn(visit, made).items()}
    told = {
        **drawn,
        "at_millis": _millis(made.created_at),
        "offline": made.offline,
        "handle": _handle(choice),
    }
    body = msgspec.json.encode(told)
    return Reply(body=body, media_type="application/json", headers=((b"cache-control", b"no-store"),))


async def _ways(visit: Visit, db: Connection) -> tuple[Way, Sequence[Ways]]:
    """The balance, and each open line with its months and their prices for the example."""
    book, on = visit.book, visit.book.business_date(visit.at)
    lines = await credit.load_lines_of_people(db, book.bucket_of(visit.caller.id), [visit.caller.id])
    found = []
    for line in lines:
        if line.status is not LineStatus.OPEN:
            continue
        product = visit.services.catalogue.drawn_under(line, on)
        name = product.name.zh if visit.language == "zh" else product.name.en
        found.append(Ways(name, tuple(_ways_of_line(line, product, on))))
    wallet = Funding(use_wallet=True, line_id=None)
    return Way(_value(wallet), wallet), found


def _ways_of_line(line: Line, product: Product, on: Any) -> list[Way]:
    priced = credit.price_options(product, credit.calendar_of(line, product), EXAMPLE_MINOR, on, 0, None)
    ways = []
    for price in priced:
        funding = Funding(use_wallet=False, line_id=line.id, tenor=price.tenor)
        ways.append(Way(_value(funding), funding, price))
    return ways


def _handle(choice: Choice | None) -> str:
    return choice.handle_name.hex if choice is not None and choice.handle_name is not None else ""


def _value(funding: Funding) -> str:
    if funding.line_id is None:
        return "wallet"
    return f"{encode(Prefix.LINE, funding.line_id)}.{funding.tenor}"


async def _wallet_of(visit: Visit, db: Connection) -> UUID:
    standing = await standing_of_person(db, visit.book, visit.caller.id)
    assert standing is not None, "a caller is somebody"
    return standing[1]


async def _balance_of(visit: Visit, db: Connection) -> int:
    account = account_id(await _wallet_of(visit, db), AccountKind.WALLET)
    found = await ledger.load_balances(db, visit.book.bucket_of(visit.caller.id), [account])
    return found[account].available_minor or 0 if account in found else 0


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _instant(millis: str) -> datetime:
    if not millis.isascii() or not millis.isdigit() or len(millis) > 13:
        raise invalid_field("since", "It is no instant.")
    return datetime.fromtimestamp(int(millis) / 1000, UTC)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/code", "app_code", show_code),
    page("POST", "/app/code", "app_code_choose", choose),
    page("POST", "/app/code/fresh", "app_code_fresh", refresh),
    page("POST", "/app/code/stop", "app_code_stop", stop),
    page("GET", "/app/code/live", "app_code_live", live),
    page("GET", SHELL, "app_code_offline", show_shell),
    page("GET", "/app/worker.js", "app_worker", worker),
    page("GET", "/app/app.webmanifest", "app_manifest", manifest),
)
