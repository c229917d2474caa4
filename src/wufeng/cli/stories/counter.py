"""At the counter: a printed code, a code for one order, the phone's own code, with and without a connection."""

import asyncio
import base64
import hashlib
import hmac
from datetime import datetime

from wufeng.cli.stories.actors import PIN, Actor, arrive, said, scan
from wufeng.cli.stories.stage import Ending, Stage, Story, Way
from wufeng.client import Confirmation, InlineOrder, Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.client.pay_codes import OfflineCodes
from wufeng.web.paging import Door

PHONE = "+8613812345678"
LIMIT_MINOR = 500_000


async def play(stage: Stage) -> Ending:
    """A morning at a noodle shop's till."""
    operator, tell = stage.operator, stage.tell
    shop = await operator.merchants.create(name="Lanzhou Noodles", scene="catering", fee_plan=FeePlan(3_800))
    assert shop.api_key is not None, "a new merchant's key is shown once"
    till, guest = (
        operator.as_caller(shop.api_key),
        await arrive(operator, stage.staff, "demo-1", PHONE, "李小满", LIMIT_MINOR),
    )
    phone = operator.as_caller(guest.session)
    await _printed_code(till, phone, guest, stage)
    await _phones_code(till, phone, guest, stage)
    await _without_a_connection(till, phone, stage)
    tell("now look", "the guest's code on one screen, the shop's till on the other: type the digits there")
    return Ending(
        ways=(
            Way("the guest's pay code", Door.CONSUMER, guest.session, "/app/code"),
            Way("the noodle shop's till", Door.MERCHANT, shop.api_key, "/merchant/till"),
        ),
        credentials=(("the noodle shop's API key", shop.api_key), ("the guest's PIN", PIN)),
    )


async def _printed_code(till: Wufeng, phone: Wufeng, guest: Actor, stage: Stage) -> None:
    code = await till.merchant_codes.create(label="Table 4")
    stage.tell("the shop prints a code for a table", f"{code.url}; for wallets {code.emv[:40]}…")
    scan = await phone.scans.read(code.emv)
    stage.tell("a phone reads it", f"{scan.merchant_name}, {scan.kind}: the guest keys in what they owe")
    order = await phone.merchant_codes.order(code.id, amount_minor=3_200)
    paid = await phone.payments.create(
        order=order.id,
        funding=[Source(line=guest.line)],
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    stage.tell("they pay on credit", said(paid))
    order = await phone.merchant_codes.order(code.id, amount_minor=48_000)
    refused = await phone.payments.create(
        order=order.id,
        funding=[Source(line=guest.line)],
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    stage.tell("a printed code takes 500.00 a day, whatever proves the payer", said(refused))


async def _phones_code(till: Wufeng, phone: Wufeng, guest: Actor, stage: Stage) -> None:
    shown = await phone.pay_codes.create(funding=[Source(line=guest.line)])
    stage.tell(
        "the guest shows a code of their own",
        f"{shown.code}, good for one payment until it is two minutes old",
    )
    first, second = await asyncio.gather(
        scan(till, shown.code, _order("TILL-1", 2_600)), scan(till, shown.code, _order("TILL-2", 2_600))
    )
    stage.tell("two tills scan it in the same second", f"one: {first}; the other: {second}")
    shown = await phone.pay_codes.create()
    waiting = await till.payments.create(order=_order("TILL-3", 30_000), pay_code=shown.code)
    assert waiting.next_action is not None, "above the limit without a PIN the phone is asked"
    stage.tell(
        "above 200.00 the phone asks and the till waits",
        f"{waiting.status}, needs {waiting.next_action.needs}",
    )
    paid = await phone.payments.confirm(waiting.id, Confirmation(kind="pin", proof=PIN))
    stage.tell("the guest types the PIN", said(paid))


async def _without_a_connection(till: Wufeng, phone: Wufeng, stage: Stage) -> None:
    enrolled = (await phone.pay_codes.create(enrol=True)).offline
    assert enrolled is not None, "an enrolment was asked for"
    now = (await stage.operator.clock.get()).now_at
    code = offline_code(enrolled, now)
    stage.tell(
        "in a cellar the phone makes a code by itself", f"{code}: the secret and the minute, no connection"
    )
    stage.tell("the till scans it", await scan(till, code, _order("TILL-4", 1_900)))
    stage.tell("and scans it again", await scan(till, code, _order("TILL-5", 1_900)))
    await phone.pay_codes.stop()
    stage.tell(
        "the guest stops the phone's codes",
        await scan(till, offline_code(enrolled, now), _order("TILL-6", 1_900)),
    )


def offline_code(enrolled: OfflineCodes, at: datetime) -> str:
    """The code that a phone shows without a connection: any one-time password program makes the same (RFC 6238)."""
    secret = base64.b32decode(enrolled.secret + "=" * (-len(enrolled.secret) % 8))
    step = int(at.timestamp()) // enrolled.step_seconds
    digest = hmac.digest(secret, step.to_bytes(8), hashlib.sha256)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"38{enrolled.handle}{number % 10**enrolled.digits:0{enrolled.digits}d}"


def _order(number: str, amount_minor: int) -> InlineOrder:
    return InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject="Noodles")


STORY = Story(
    name="counter",
    description="At the counter: a printed code, the phone's own code at two tills, and one made without a connection",
    play=play,
)
