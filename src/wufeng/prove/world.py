"""P1's world: two people, one shop and a book, on the engine and on paper, compared after every step."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from wufeng import credit, ledger
from wufeng.base import migrations
from wufeng.base.books import Book
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.base.errors import Problem
from wufeng.base.lanes import Command
from wufeng.ledger import AccountKind, account_id
from wufeng.payments import (
    LEDGER_CHECKS,
    Capture,
    CapturePayment,
    CreateRefund,
    Funding,
    Pay,
    Reader,
    VoidPayment,
)
from wufeng.prove import paper
from wufeng.prove.engine import Engine
from wufeng.prove.scratch import BOOK, Scratch
from wufeng.prove.scratch import found as found_installation
from wufeng.prove.store import PaymentRow, load_payments
from wufeng.prove.town import RATE_PPM, Payer, Shop, settle_town
from wufeng.risk.model import Confirmation

START = datetime(2026, 8, 25, 4, 0, tzinfo=UTC)
"""A week before a bill."""


class Difference(AssertionError):
    """The engine and the model do not agree."""


class Worlds:
    """Makes worlds, each in a database of its own: a copy of one that was set up once.

    is_stopped  nobody waits for the outcome any more: no further world is to be opened
    """

    def __init__(self, scratch: Scratch, name: str) -> None:
        self._scratch = scratch
        self._template = msgspec.structs.replace(scratch.quick_settings, database_name=f"{name}_template")
        self._name = name
        self._open: contextlib.AsyncExitStack | None = None
        self.made = 0
        self.steps = 0
        self.days = 0
        self.is_stopped = False

    async def prepare(self) -> None:
        """Set the first database up."""
        await self._scratch.quick_postgres()
        await found_installation(self._scratch.tools, self._template, FixedClock(START))

    async def open(self, wallet_minor: int, limit_minor: int) -> "World":
        """A fresh world."""
        await self.close()
        self.made += 1
        settings = msgspec.structs.replace(self._template, database_name=f"{self._name}_{self.made}")
        self._open = contextlib.AsyncExitStack()
        clock = FixedClock(START)
        await migrations.create_database(
            await self._scratch.quick_postgres(), settings, self._template.database_name
        )
        self._open.push_async_callback(self._drop, settings)
        engine = await self._open.enter_async_context(self._scratch.tools.opened(settings, clock))
        town = await settle_town(engine, "p1", payers=2, limit_minor=limit_minor, wallet_minor=wallet_minor)
        return World(self, engine, clock, town.payers, town.shops[0], wallet_minor, limit_minor)

    async def close(self) -> None:
        """Take the open world away."""
        stack, self._open = self._open, None
        if stack is not None:
            await stack.aclose()

    async def _drop(self, settings: Settings) -> None:
        await migrations.drop_database(await self._scratch.quick_postgres(), settings)


class World:
    """One world. Each step runs on both sides; any difference is raised."""

    def __init__(
        self,
        worlds: Worlds,
        engine: Engine,
        clock: FixedClock,
        people: Sequence[Payer],
        shop: Shop,
        wallet_minor: int,
        limit_minor: int,
    ) -> None:
        self._worlds = worlds
        self._engine = engine
        self._clock = clock
        self._people = people
        self._shop = shop
        self._made = 0
        self.payers = [paper.new_payer(wallet_minor, limit_minor) for _ in people]
        self.shop = paper.new_shop(RATE_PPM)
        self.payments: list[paper.Thing] = []

    @property
    def _book(self) -> Book:
        return self._engine.books.named(BOOK)

    @property
    def _at(self) -> datetime:
        return self._book.at(self._clock)

    @property
    def _on(self) -> date:
        return self._book.business_date(self._at)

    def has(self, *states: str) -> bool:
        """Whether there is a payment in one of those states."""
        return any(payment["status"] in states for payment in self.payments)

    async def pay(self, who: int, amount: int, source: str, capture: str) -> None:
        """Pay the shop."""
        self._tick()
        payer, number = self._people[who], len(self.payments)
        id_ = self._engine.lanes.ids.new(self._at, payer.id.int & 0xFFFF)
        payment = paper.pay(
            self.payers[who], self.shop, str(number), amount, source, capture, self._on, self._at
        )
        payment |= {"id": id_, "who": who}
        self.payments.append(payment)
        command = Pay(
            at=self._at,
            people=(payer.id,),
            payment_id=id_,
            order=self._shop.order(f"o{number}", amount),
            payer_id=payer.id,
            funding=Funding(
                use_wallet=source != "line", line_id=payer.line_id if source != "wallet" else None
            ),
            capture=Capture(capture),
            confirmation=Confirmation.PIN,
            caller_id=payer.id,
            reader=Reader.PLATFORM,
        )
        await self._both(who, command, 402 if payment["status"] == "declined" else 201)

    async def capture(self, which: int, amount: int | None, *, final: bool) -> None:
        """Capture one of the payments."""
        self._tick()
        payment = self._pick(which, "authorised")
        expected = paper.take(payment, amount, final=final, on=self._on)
        command = CapturePayment(
            at=self._at,
            people=(self._people[payment["who"]].id,),
            payment_id=payment["id"],
            merchant_id=self._shop.id,
            amount_minor=amount,
            final=final,
        )
        await self._both(payment["who"], command, 200 if expected == "ok" else expected)

    async def void(self, which: int) -> None:
        """Void one of the payments."""
        self._tick()
        payment = self._pick(which, "authorised", "captured")
        expected = paper.let_go(payment, "voided")
        command = VoidPayment(
            at=self._at,
            people=(self._people[payment["who"]].id,),
            payment_id=payment["id"],
            merchant_id=self._shop.id,
        )
        await self._both(payment["who"], command, 200 if expected == "ok" else expected)

    async def refund(self, which: int, amount: int | None) -> None:
        """Refund one of the payments: an amount, or all that is left of it."""
        self._tick()
        payment = self._pick(which, "captured", "authorised")
        left = payment["captured"] - payment["refunded"]
        amount = amount or left or 1
        await self._engine.followers.catch_up()  # what a merchant is owed is folded
        expected = paper.refund(payment, amount, self._on)
        payer = self._people[payment["who"]]
        command = CreateRefund(
            at=self._at,
            people=(payer.id,),
            refund_id=self._engine.lanes.ids.new(self._at, payer.id.int & 0xFFFF),
            payment_id=payment["id"],
            merchant_id=self._shop.id,
            refund_no=f"r{self._made}",
            amount_minor=amount,
            reason="returned",
        )
        await self._both(payment["who"], command, 201 if expected == "ok" else expected)

    async def repay(self, who: int, amount: int | str, source: str) -> None:
        """Repay the line: an amount, or all, what is billed, the minimum."""
        self._tick()
        payer = self._people[who]
        expected = paper.repay(self.payers[who], amount, source, self._on)
        command = credit.Repay(
            at=self._at,
            people=(payer.id,),
            repayment_id=self._engine.lanes.ids.new(self._at, payer.id.int & 0xFFFF),
            line_id=payer.line_id,
            source=credit.Source(credit.SourceKind(source), payer.wallet_id if source == "wallet" else None),
            amount_minor=amount if isinstance(amount, int) else None,
            target=credit.Target(amount) if isinstance(amount, str) else None,
        )
        await self._both(who, command, 201 if expected == "ok" else expected)

    async def turn(self, days: int) -> None:
        """Let days pass, and close them."""
        closed = await self._engine.turn_days(self._book, days)
        if errors := [error for day in closed for error in day.errors]:
            raise Difference(f"the day close failed: {errors}")
        self._worlds.days += days
        for back in reversed(range(days)):
            on = self._on - timedelta(days=back)
            paper.begin(self.payers, self.payments, self.shop, on, self._book.start_of(on))
        await self._compare(f"{days} days later")

    async def end(self) -> None:
        """The ledger proves itself at the end of each world."""
        await self._engine.followers.catch_up()
        report = await ledger.verify(self._engine.database, checks=LEDGER_CHECKS)
        if report.breaks:
            raise Difference(f"ledger verify: {report.breaks}")

    def _tick(self) -> None:
        """A second passes, so that no two ids are of the same instant: bills and draws are paid in order of age."""
        self._made += 1
        self._clock.turn_to(self._clock.now() + timedelta(seconds=1))

    def _pick(self, which: int, *states: str) -> paper.Thing:
        fitting = [payment for payment in self.payments if payment["status"] in states]
        return fitting[which % len(fitting)]

    async def _both(self, who: int, command: Command, expected: int | str) -> None:
        """Run a command on the engine and compare: its answer first, then everything."""
        self._worlds.steps += 1
        what = type(command).__name__
        try:
            answer = await self._engine.lanes.submit(self._book.bucket_of(self._people[who].id), command)
            got: int | str = answer.status
            said = answer.body.decode()
        except Problem as problem:
            got, said = str(problem.code), problem.detail or ""
            if problem.__cause__ is not None:
                raise Difference(f"{what}: {problem.__cause__!r}") from problem
        if got == 409:
            got = paper.CONFLICT
        if got != expected:
            raise Difference(f"{what}: the model says {expected}, the engine {got} ({said})")
        await self._compare(what)

    async def _compare(self, what: str) -> None:
        """Every balance and every payment of both sides."""
        for payment in self.payments:
            for draw in payment["draws"]:
                draw.setdefault("id", credit.draw_id(payment["id"], draw["number"]))
        there, here = await self._seen(), self._expected()
        differing = [
            f"{name}: {here[name]} / {there.get(name)}" for name in here if here[name] != there.get(name)
        ]
        if differing:
            raise Difference(f"after {what} on {self._on} (model / engine): {'; '.join(differing)}")

    def _expected(self) -> dict[str, Any]:
        values: dict[str, Any] = {"shop": self.shop["payable"] + self.shop["settled"]}
        for who, payer in enumerate(self.payers):
            values[f"{who} wallet"] = (payer["wallet"], payer["wallet_held"])
            values[f"{who} line"] = (paper.used(payer), payer["held"])
            values[f"{who} interest"] = sum(map(paper.owed_interest, payer["bills"]))
            values[f"{who} credit balance"] = payer["credit"]
        for payment in self.payments:
            values[f"payment {payment['name']}"] = tuple(
                payment[name] for name in ("status", "captured", "fee", "refunded")
            )
        return values

    async def _seen(self) -> dict[str, Any]:
        await self._engine.followers.catch_up()
        values: dict[str, Any] = {}
        rows: dict[UUID, PaymentRow] = {}
        async with self._engine.database.read() as db:
            for who, payer in enumerate(self._people):
                accounts = {
                    kind: account_id(payer.wallet_id if kind is AccountKind.WALLET else payer.line_id, kind)
                    for kind in (
                        AccountKind.WALLET,
                        AccountKind.LINE_PRINCIPAL,
                        AccountKind.LINE_INTEREST,
                        AccountKind.LINE_CREDIT_BALANCE,
                    )
                }
                found = await ledger.load_balances(
                    db, self._book.bucket_of(payer.id), list(accounts.values())
                )
                wallet, line, interest, kept = (found[id_] for id_ in accounts.values())
                values[f"{who} wallet"] = (-wallet.balance_minor, wallet.held_minor)
                values[f"{who} line"] = (line.balance_minor, line.held_minor)
                values[f"{who} interest"] = interest.balance_minor
                values[f"{who} credit balance"] = -kept.balance_minor
            shop = [
                account_id(self._shop.id, AccountKind.MERCHANT_PAYABLE),
                account_id(ledger.book_owner(self._book.id), AccountKind.SETTLEMENT_CLEARING),
            ]
            folded = await ledger.folded_balances(db, self._book.buckets, shop)
            values["shop"] = -sum(folded.values())
            for bucket in self._book.buckets:
                rows |= {row.id: row for row in await load_payments(db, bucket, [self._shop.id])}
        for payment in self.payments:
            row = rows.get(payment["id"])
            values[f"payment {payment['name']}"] = row and (
                row.status,
                row.captured_minor,
                row.fee_minor,
                row.refunded_minor,
            )
        return values
