"""C6: one command of a batch is poison; the others must not notice."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from wufeng.base.claims import Answer
from wufeng.base.clock import FixedClock
from wufeng.base.errors import Problem
from wufeng.base.faults import Plant
from wufeng.base.lanes import Batch, Command
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind, account_id
from wufeng.payments import Capture, Funding, OrderTerms, Pay, Reader, Receipt, order_id
from wufeng.prove import store
from wufeng.prove.audit import half_even
from wufeng.prove.engine import Engine
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.scratch import BOOK
from wufeng.prove.town import PRODUCT, RATE_PPM, Payer, Shop, Town, settle_town
from wufeng.risk.model import Confirmation

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
BATCH = 64
MEGABYTE = "x" * 1_000_000


class Poison(Command, frozen=True, kw_only=True):
    """A command that goes wrong in the way it names."""

    kind: str
    of: UUID


class Gate(Command, frozen=True, kw_only=True):
    """A command that keeps its lane busy, so that what comes meanwhile goes as one batch."""


class Keeper:
    """Holds a lane at its gate until it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def hold(self, _batch: Batch, commands: Sequence[Gate]) -> list[Answer | Problem]:
        """The lane's handler of `Gate`."""
        self.entered.set()
        await self.opened.wait()
        return [Answer(200, b"{}") for _ in commands]

    def close(self) -> None:
        """Make ready for the next to come."""
        self.entered.clear()
        self.opened.clear()


Hurt = Callable[[Batch, Poison], Awaitable[None]]


def _refused(statement: str) -> Hurt:
    async def hurt(batch: Batch, command: Poison) -> None:
        await store.poison(batch.db, statement, batch.bucket, command.of)

    return hurt


def _text(text: str) -> Hurt:
    async def hurt(batch: Batch, _: Poison) -> None:
        await store.poison(batch.db, "text", batch.bucket, text)

    return hurt


async def _raises(_batch: Batch, _command: Poison) -> None:
    raise ZeroDivisionError("a mistake of a handler")


async def _swallows(batch: Batch, command: Poison) -> None:
    """A handler that goes on after an error of the database: its transaction cannot commit."""
    with suppress(asyncpg.PostgresError):
        await store.poison(batch.db, "check", batch.bucket, command.of)


KINDS: Mapping[str, Hurt] = {
    "check": _refused("check"),
    "floor": _refused("floor"),
    "unique": _refused("unique"),
    "foreign_key": _refused("foreign_key"),
    "overflow": _refused("overflow"),
    "numeric": _refused("numeric"),
    "unbalanced": _refused("unbalanced"),
    "nul": _text("a\0b"),
    "raises": _raises,
    "swallows": _swallows,
}
HARMLESS = "megabyte"
"""A text of a megabyte is no poison to a statement; its neighbours must not suffer either."""


async def poison(batch: Batch, commands: Sequence[Poison]) -> list[Answer | Problem]:
    """The lane's handler of `Poison`."""
    for command in commands:
        await (_text(MEGABYTE) if command.kind == HARMLESS else KINDS[command.kind])(batch, command)
    return [Answer(200, b"{}") for _ in commands]


class Told(Struct, frozen=True):
    """What one round gave: the bystanders' answers without their ids, the poison's, and the time it took."""

    bystanders: tuple[str, ...]
    poisoned: str
    seconds: float
    wrong_fees: int


async def run(job: Job) -> Outcome:
    """A round is every kind of poison once; its bystanders' answers are compared with a batch that had none."""
    rng = job.rng()
    findings: list[Finding] = []
    worst_ms = 0.0
    failed = 0
    async with job.scratch.engine_of_its_own(FixedClock(NOON)) as engine:
        gate = Keeper()
        engine.lanes.handlers[Poison] = poison
        engine.lanes.handlers[Gate] = gate.hold
        town = await settle_town(engine, job.run_id, payers=32)
        number = 0
        for _ in range(job.runs):
            if number and not job.left_s:
                break
            for kind in (*KINDS, HARMLESS):
                place = rng.randrange(BATCH)
                clean = await _batch(engine, gate, town, number, None, place)
                hurt = await _batch(engine, gate, town, number + 1, kind, place)
                number += 2
                for n, (before, after) in enumerate(zip(clean.bystanders, hurt.bystanders, strict=True)):
                    if before != after:
                        failed += 1
                        findings.append(Finding("bystander", f"{kind} at {place}, payment {n}: {after}"))
                if (hurt.poisoned == "200") != (kind == HARMLESS):
                    findings.append(Finding("poison", f"{kind}: {hurt.poisoned}"))
                if hurt.wrong_fees:
                    findings.append(Finding("fee", f"{kind}: {hurt.wrong_fees} payments"))
                worst_ms = max(worst_ms, (hurt.seconds - clean.seconds) * 1000)
                job.tell(f"{number // 2} batches of {job.runs * (len(KINDS) + 1)}")
        splits = engine.lanes.stats.splits
    counts = {
        "batches": number // 2,
        "kinds": len(KINDS) + 1,
        "bystanders": number // 2 * (BATCH - 1),
        "bystanders_failed": failed,
        "splits": splits,
        "extra_latency_ms_max": round(worst_ms),
    }
    figure = (
        f"{len(KINDS) + 1} kinds of poison in batches of {BATCH}: {failed} bystanders failed, "
        f"at most {worst_ms:.0f} ms longer"
    )
    return Outcome(counts, figure, tuple(findings))


async def _batch(engine: Engine, gate: Keeper, town: Town, number: int, kind: str | None, place: int) -> Told:
    """Let 64 commands go as one batch of one bucket, one of them poison; or, without a kind, one payment less."""
    book = engine.books.named(BOOK)
    bucket = book.buckets[0]
    payers = [payer for payer in town.payers if book.bucket_of(payer.id) == bucket]
    gate.close()
    held = asyncio.create_task(engine.lanes.submit(bucket, Gate(at=NOON)))
    await gate.entered.wait()
    commands: list[Command] = [
        _payment(engine, payers[n % len(payers)], town.shops[0], f"c6-{number}-{n}", 10_00 + n)
        for n in range(BATCH - 1)
    ]
    if kind is not None:
        fresh = engine.lanes.ids.new(NOON, payers[0].id.int & 0xFFFF)
        commands.insert(place, Poison(at=NOON, kind=kind, of=_victim(kind, payers[0], fresh)))
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    tasks = [asyncio.create_task(_answered(engine, bucket, command)) for command in commands]
    await asyncio.sleep(0)
    gate.opened.set()
    answers = await asyncio.gather(*tasks)
    seconds = loop.time() - started_s
    await held
    poisoned = answers.pop(place)[0] if kind is not None else ""
    wrong = sum(view.get("fee_minor") not in (None, _fee(view)) for _, view in answers if view)
    return Told(tuple(told for told, _ in answers), poisoned, seconds, wrong)


def _victim(kind: str, payer: Payer, fresh: UUID) -> UUID:
    """The row that a statement hurts: an account that is there, or an id that is not."""
    if kind in ("check", "floor", "overflow", "numeric", "swallows"):
        return account_id(payer.wallet_id, AccountKind.WALLET)
    return fresh


def _fee(view: Mapping[str, Any]) -> int:
    return half_even(int(view["amount_minor"]) * RATE_PPM, 1_000_000)


def _payment(engine: Engine, payer: Payer, shop: Shop, order_no: str, amount_minor: int) -> Pay:
    return Pay(
        at=NOON,
        people=(payer.id,),
        payment_id=engine.lanes.ids.new(NOON, payer.id.int & 0xFFFF),
        order=OrderTerms(
            id=order_id(shop.id, order_no),
            merchant_id=shop.id,
            order_no=order_no,
            amount_minor=amount_minor,
            currency="CNY",
            subject=PRODUCT,
            scene=Scene.RETAIL,
            receipt=Receipt.NONE,
            expires_at=None,
            metadata=None,
        ),
        payer_id=payer.id,
        funding=Funding(use_wallet=False, line_id=payer.line_id),
        capture=Capture.NOW,
        confirmation=Confirmation.PIN,
        caller_id=payer.id,
        reader=Reader.PLATFORM,
        language="en",
    )


async def _answered(engine: Engine, bucket: int, command: Command) -> tuple[str, Mapping[str, Any]]:
    """An answer without what differs between two payments of the same amount: ids and order numbers."""
    try:
        answer = await engine.lanes.submit(bucket, command)
    except Problem as problem:
        return str(problem.code), {}
    view = msgspec.json.decode(answer.body)
    if not view:
        return str(answer.status), view
    parts = [view[name] for name in ("status", "amount_minor", "captured_minor", "reasons")]
    return f"{answer.status} {parts}", view


PROOF = Proof(
    id="C6",
    promise="One bad command fails alone; the others of its batch are answered as without it.",
    how="a command that trips a CHECK, floor, unique, foreign key, overflow, NUL, 10^100, a handler's error … "
    "among 63 payments",
    unit="rounds of all kinds",
    runs={Size.SMALL: 1, Size.NORMAL: 10, Size.FULL: 500},
    run=run,
    catches=(Plant.BATCH_FAILS_TOGETHER, Plant.ROUND_TWICE),
)
