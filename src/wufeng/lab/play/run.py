"""The play: people and shops come to life, the stream is paid day by day, bills are issued, and repaid or not."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

import msgspec

from wufeng import ledger
from wufeng.base.books import Book
from wufeng.base.calendar import add_months
from wufeng.base.claims import Answer, claim_key
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import slot_of
from wufeng.credit import ClosedDay, Repay, Source, SourceKind, Target, count_suspended
from wufeng.identity.merchants.model import Scene
from wufeng.lab.play.engine import Engine
from wufeng.lab.play.model import Payer, Phase, Played, PlaySettings, Progress, Row, Stream
from wufeng.lab.play.town import open_shops, settle_people
from wufeng.ledger import AccountKind
from wufeng.payments import LEDGER_CHECKS, Capture, Funding, OrderTerms, Pay, Reader, Receipt, order_id
from wufeng.risk.model import Confirmation

TENORS = (3, 6, 12)
SPREAD_FROM_MINOR = 10_000
LAST_DAY = 15
"""After the last payment the clock runs on to this day of the next month: bills of the 1st are due on the 10th."""


class _Tally:
    """What is counted while it goes on."""

    def __init__(self) -> None:
        self.approved = 0
        self.amount_minor = 0
        self.declined: Counter[str] = Counter()
        self.pay_seconds = 0.0
        self.days: list[ClosedDay] = []
        self.repaid: Counter[bool] = Counter()  # by whether it came late
        self.repaid_minor = 0


async def play(
    engine: Engine, book: Book, stream: Stream, settings: PlaySettings, progress: Progress
) -> Played:
    """Play a stream in a book whose clock stands at the stream's first midnight. Everything goes through the lanes."""
    rows, tally = stream.rows, _Tally()
    at = book.start_of(rows[0].at.date())
    shops = await open_shops(engine, book, [row.terminal for row in rows], at, settings.seed)
    cards = sorted({row.card for row in rows})
    payers = await settle_people(engine, book, cards, at, settings, progress)
    done = 0
    for on, of_day in groupby(rows, key=lambda row: row.at.date()):
        book = await _until(engine, book, on, tally)
        todays = list(of_day)
        await _pay_day(engine, book, todays, payers, shops, settings, tally)
        done += len(todays)
        progress(Phase.PAYMENTS, done, len(rows))
    last_on = add_months(rows[-1].at.date(), 1, LAST_DAY)
    await _repay_until(engine, book, last_on, list(payers.values()), tally, progress)
    await engine.catch_up()
    progress(Phase.PROOF, 0, 1)
    return await _summary(engine, book, stream, payers, len(set(shops.values())), tally)


async def _until(engine: Engine, book: Book, on: date, tally: _Tally) -> Book:
    """Turn the book's clock, day by day, until its business date is `on`."""
    while _today(engine, book) < on:
        tally.days += await engine.turn_day(book)
        book = engine.books[book.id]
    return book


def _today(engine: Engine, book: Book) -> date:
    return book.business_date(book.at(engine.lanes.clock))


async def _pay_day(
    engine: Engine,
    book: Book,
    rows: Sequence[Row],
    payers: dict[int, Payer],
    shops: dict[int, UUID],
    settings: PlaySettings,
    tally: _Tally,
) -> None:
    rng = random.Random(f"{settings.seed} {rows[0].at.date()}")
    commands = iter(
        [_command(engine, book, row, payers[row.card], shops[row.terminal], rng, settings) for row in rows]
    )
    began_s = time.perf_counter()
    await asyncio.gather(*(_payer(engine, commands, tally) for _ in range(settings.in_flight)))
    tally.pay_seconds += time.perf_counter() - began_s


async def _payer(engine: Engine, commands: Iterator[tuple[int, Pay]], tally: _Tally) -> None:
    for bucket, command in commands:
        answer = await _submitted(engine, bucket, command)
        if answer.status == 201:
            tally.approved += 1
            tally.amount_minor += command.order.amount_minor
        else:
            payment = msgspec.json.decode(answer.body)
            tally.declined[payment["reasons"][0]["code"]] += 1


async def _submitted(engine: Engine, bucket: int, command: Pay | Repay) -> Answer:
    """Submit as a client would: a lane that is full is asked again with the same key."""
    while True:
        try:
            return await engine.lanes.submit(bucket, command)
        except Problem as problem:
            if problem.code not in (Code.OVERLOADED, Code.OUTCOME_UNKNOWN):
                raise
            await asyncio.sleep(0.05)


def _command(
    engine: Engine,
    book: Book,
    row: Row,
    payer: Payer,
    merchant_id: UUID,
    rng: random.Random,
    settings: PlaySettings,
) -> tuple[int, Pay]:
    at = book.start_of(row.at.date()) + (row.at - datetime.combine(row.at.date(), datetime.min.time()))
    spread = row.amount_minor >= SPREAD_FROM_MINOR and rng.randrange(1_000_000) < settings.spread_share_ppm
    order_no = f"T{row.number}"
    body = {"order": {"order_no": order_no, "amount_minor": row.amount_minor}, "payer": str(payer.id)}
    order = OrderTerms(
        id=order_id(merchant_id, order_no),
        merchant_id=merchant_id,
        order_no=order_no,
        amount_minor=row.amount_minor,
        currency=book.currency,
        subject=f"terminal {row.terminal}",
        scene=Scene.RETAIL,
        receipt=Receipt.NONE,
    )
    command = Pay(
        at=at,
        people=(payer.id,),
        claim=claim_key(engine.vault.claim_pepper, payer.id, order_no, "play", body),
        payment_id=engine.lanes.ids.new(at, slot_of(payer.id)),
        order=order,
        payer_id=payer.id,
        funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=rng.choice(TENORS) if spread else 1),
        capture=Capture.NOW,
        confirmation=Confirmation.SESSION,
        caller_id=payer.id,
        reader=Reader.PERSON,
        language="en",
    )
    return payer.bucket, command


async def _repay_until(
    engine: Engine, book: Book, last_on: date, payers: Sequence[Payer], tally: _Tally, progress: Progress
) -> None:
    """Run the clock on; each person repays what is billed on a day of their own, in time or late."""
    issued_on = last_on.replace(day=1)
    due_on = issued_on + timedelta(days=9)
    while (today := _today(engine, book)) < last_on:
        book = await _until(engine, book, today + timedelta(days=1), tally)
        today = _today(engine, book)
        now = [p for p in payers if p.repays_after_days == (today - issued_on).days]
        await asyncio.gather(*(_repay(engine, book, payer, tally, late=today > due_on) for payer in now))
        progress(Phase.REPAYMENTS, LAST_DAY - max(0, (last_on - today).days), LAST_DAY)


async def _repay(engine: Engine, book: Book, payer: Payer, tally: _Tally, *, late: bool) -> None:
    at = book.at(engine.lanes.clock)
    command = Repay(
        at=at,
        people=(payer.id,),
        repayment_id=engine.lanes.ids.new(at, slot_of(payer.line_id)),
        line_id=payer.line_id,
        source=Source(SourceKind.EXTERNAL, None),
        target=Target.BILLED,
    )
    try:
        answer = await _submitted(engine, payer.bucket, command)
    except Problem as problem:
        if problem.code is not Code.STATE_CONFLICT:  # nothing was billed: there is nothing to repay
            raise
        return
    if answer.status == 201:
        tally.repaid[late] += 1
        tally.repaid_minor += msgspec.json.decode(answer.body)["amount_minor"]


async def _summary(
    engine: Engine, book: Book, stream: Stream, payers: dict[int, Payer], merchants: int, tally: _Tally
) -> Played:
    rows = stream.rows
    async with engine.database.read() as db:
        lines = await ledger.trial_balance(db, book.buckets)
        suspended = await count_suspended(db, book.buckets)
    balances: Counter[AccountKind] = Counter()
    for line in lines:
        if line.kind is not None:
            balances[line.kind] += line.balance_minor
    steps: Counter[str] = Counter()
    for day in tally.days:
        steps.update(day.steps)
    report = await ledger.verify(engine.database, book.buckets, LEDGER_CHECKS)
    return Played(
        book=book.name,
        first_on=str(rows[0].at.date()),
        last_on=str(rows[-1].at.date()),
        people=len(payers),
        merchants=merchants,
        left_out={fault.value: count for fault, count in stream.left_out.items()},
        payments=len(rows),
        approved=tally.approved,
        declined=dict(tally.declined),
        amount_minor=tally.amount_minor,
        seconds=round(tally.pay_seconds, 2),
        payments_per_s=round(len(rows) / tally.pay_seconds, 1),
        days_closed=len(tally.days),
        bills=steps["bills"],
        repaid_in_time=tally.repaid[False],
        repaid_late=tally.repaid[True],
        repaid_minor=tally.repaid_minor,
        suspended_lines=suspended,
        credit_outstanding_minor=balances[AccountKind.LINE_PRINCIPAL],
        interest_income_minor=-balances[AccountKind.INTEREST_INCOME],
        instalment_fee_income_minor=-balances[AccountKind.INSTALMENT_FEE_INCOME],
        merchant_fee_income_minor=-balances[AccountKind.MERCHANT_FEE_INCOME],
        journals=report.journals,
        journals_proved_per_s=report.journals_per_s,
        ledger_ok=not report.breaks,
        ledger_breaks=[f"{one.kind.value}: {one.where}" for one in report.breaks],
    )
