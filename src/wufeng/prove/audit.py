"""A0, the final audit: what the clients were told against what the database holds.

`ledger verify` clean · every 2xx/402 the clients hold is stored with the same bytes, and the same key gives them
again · every payment has a client who meant it · at most one effect a key and an order · nothing beyond its
bounds, no budget overspent · the followers have reached the heads · nobody is asked for a word past its time ·
fees, draws' shares and refunds add up
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import httpx
from msgspec import Struct

from wufeng import credit, ledger
from wufeng.base.books import Book
from wufeng.base.claims import key_id, load_claims
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, decode
from wufeng.payments import LEDGER_CHECKS
from wufeng.prove import store
from wufeng.prove.engine import Engine
from wufeng.prove.fleet import Definite, Fleet, Intent, Log
from wufeng.prove.model import Finding
from wufeng.prove.scratch import BOOK
from wufeng.prove.town import Town

FINDINGS_MAX = 20
"""Of one check: who finds twenty looks for one cause."""
HEADS_WITHIN_S = 60.0
EXPIRY_GRACE = timedelta(seconds=30)
"""The timer that expires payments comes every five seconds, and the machine is busy."""
REPEATS_AT_ONCE = 16
HOLDS_ORDER = ("pending", "authorised", "captured")
PPM = 1_000_000


class Audited(Struct, frozen=True):
    """What the audit looked at, and what it found.

    lost     answers that clients hold and the database does not
    doubled  keys or orders with more than one effect
    """

    counts: Mapping[str, int | float]
    findings: tuple[Finding, ...]

    @property
    def lost(self) -> int:
        """Acknowledged and not there."""
        return int(self.counts["lost"])

    @property
    def doubled(self) -> int:
        """There more than once."""
        return int(self.counts["doubled"])


class _Case:
    """What all checks look at."""

    def __init__(self, book: Book, town: Town, log: Log) -> None:
        self.book = book
        self.town = town
        self.log = log
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter(lost=0, doubled=0)
        self.payments: list[store.PaymentRow] = []
        self.refunds: list[store.RefundRow] = []
        self.moved: dict[UUID, store.Moved] = {}

    def find(self, check: str, details: Iterable[str]) -> int:
        """Note what does not hold; returns how much it is."""
        all_ = list(details)
        self.findings += [Finding(check, detail) for detail in all_[:FINDINGS_MAX]]
        if len(all_) > FINDINGS_MAX:
            self.findings.append(Finding(check, f"and {len(all_) - FINDINGS_MAX} more"))
        return len(all_)


async def audit(engine: Engine, fleet: Fleet, town: Town, repeats_max: int) -> Audited:
    """Audit what a fleet did in a town. The server must answer: keys are repeated to it.

    repeats_max  how many of the stored answers are asked for once more over HTTP; all are compared in the database
    """
    async with engine.database.read() as db:
        await engine.books.refresh(db)
    case = _Case(engine.books.named(BOOK), town, fleet.log)
    case.find("unresolved", [f"the outcome of {one.key} is unknown" for one in fleet.log.unresolved()])
    await _check_heads(engine, case)
    report = await ledger.verify(engine.database, checks=LEDGER_CHECKS)
    case.find("ledger", [f"{one.kind} {one.where}: {one.expected} / {one.found}" for one in report.breaks])
    case.counts["journals"] = report.journals
    async with engine.database.read() as db:
        await _load(db, case)
        await _check_claims(db, case)
        await _check_bounds(engine, db, case)
        await _check_budgets(db, case)
    _check_intents(case)
    _check_effects(case)
    _check_sums(case)
    await _check_repeats(fleet, case, repeats_max)
    return Audited(dict(case.counts), tuple(case.findings))


async def _check_heads(engine: Engine, case: _Case) -> None:
    """The server's own followers must come to the heads; nobody writes any more."""
    deadline_s = time.monotonic() + HEADS_WITHIN_S
    while (behind := await engine.followers.lags()) and time.monotonic() < deadline_s:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.1)
    case.find("followers", [f"{one.follower} is {one.lag} behind in bucket {one.bucket}" for one in behind])


async def _load(db: Connection, case: _Case) -> None:
    merchants = [shop.id for shop in case.town.shops]
    for bucket in case.book.buckets:
        payments = await store.load_payments(db, bucket, merchants)
        case.payments += payments
        case.refunds += await store.load_refunds(db, bucket, merchants)
        case.moved |= await store.load_moved(db, bucket, [payment.id for payment in payments])
    case.counts["payments"] = len(case.payments)
    case.counts["refunds"] = len(case.refunds)


async def _check_claims(db: Connection, case: _Case) -> None:
    """Every answer that a client holds is stored with its key, byte for byte."""
    names = {key_id(*name): name for name in case.log.answers}
    found = await load_claims(db, case.book, list(names)) if names else {}
    wrong = []
    for id_, name in names.items():
        answer, claimed = case.log.answers[name], found.get(id_)
        if not answer.is_stored:
            continue
        stored = claimed.answer if claimed is not None else None
        if stored is None:
            wrong.append(f"{name[1]}: answered {answer.status}, and nothing is stored with the key")
        elif (stored.status, stored.body) != (answer.status, answer.body):
            wrong.append(f"{name[1]}: answered {answer.status}, and {stored.status} is stored")
    case.counts["answers"] = sum(answer.is_stored for answer in case.log.answers.values())
    case.counts["lost"] += case.find("answer_stored", wrong)


async def _check_bounds(engine: Engine, db: Connection, case: _Case) -> None:
    now = case.book.at(engine.clock)
    for bucket in case.book.buckets:
        case.find("bounds", [f"account {id_}" for id_ in await store.load_broken_floors(db, bucket)])
        case.find("shares", [f"draw {id_}" for id_ in await store.load_stray_draws(db, bucket)])
        late = await store.load_overdue(db, bucket, now - EXPIRY_GRACE)
        case.find("expired", [f"payment {id_} still asks its payer" for id_ in late])
        lines = [p.line_id for p in case.town.payers if case.book.bucket_of(p.id) == bucket]
        states = await credit.load_states(db, bucket, lines)
        over = [
            f"line {id_}: used {s.used_minor}, held {s.held_minor}, limit {s.line.limit_minor}"
            for id_, s in states.items()
            if s.used_minor + s.held_minor > s.line.limit_minor
        ]
        case.counts["over_limit"] += case.find("limit", over)


async def _check_budgets(db: Connection, case: _Case) -> None:
    """No campaign carries more than its budget, and no bucket holds what was not given to it."""
    budgets = await store.load_budgets(db, [shop.id for shop in case.town.shops])
    given, used = Counter[UUID](), Counter[UUID]()
    for bucket in case.book.buckets:
        for taken in await store.load_taken(db, bucket, [budget.id for budget in budgets]):
            given[taken.campaign_id] += taken.given_minor
            used[taken.campaign_id] += taken.used_minor
    case.find(
        "budget",
        [
            f"campaign {b.id}: {used[b.id]} used, {given[b.id]} in slices, {b.given_minor} given of {b.budget_minor}"
            for b in budgets
            if used[b.id] > b.budget_minor or given[b.id] != b.given_minor or b.given_minor > b.budget_minor
        ],
    )


def _check_intents(case: _Case) -> None:
    """Every payment and refund was meant by a client, and every answer names one that is there."""
    meant = {intent.order_no: intent for intent in case.log.intents.values() if intent.order_no}
    case.find("intent", [f"payment {p.id} of {p.order_no}" for p in case.payments if p.order_no not in meant])
    refunds = {intent.refund_no for intent in case.log.intents.values() if intent.refund_no}
    case.find("intent", [f"refund {r.refund_no}" for r in case.refunds if r.refund_no not in refunds])
    rows = {payment.id: payment for payment in case.payments}
    given = {refund.id: refund for refund in case.refunds}
    gone = []
    for name, answer in case.log.answers.items():
        intent = case.log.intents[name]
        if not answer.is_stored:
            continue
        if intent.order_no and (why := _missing(intent, answer, rows)):
            gone.append(f"{intent.key}: {why}")
        if intent.refund_no and (why := _missing_refund(answer, given)):
            gone.append(f"{intent.key}: {why}")
    case.counts["lost"] += case.find("acknowledged", gone)


def _missing(intent: Intent, answer: Definite, rows: Mapping[UUID, store.PaymentRow]) -> str | None:
    """Why the payment that a client was told of is not in the database; None when it is."""
    view = answer.view()
    row = rows.get(decode(Prefix.PAYMENT, str(view["id"])))
    if row is None:
        return f"{view['id']} is not there"
    told = (view["order_no"], view["amount_minor"])
    if told != (row.order_no, row.amount_minor) or row.order_no != intent.order_no:
        return f"{view['id']} is another payment"
    if view["status"] in ("captured", "declined") and row.status != view["status"]:
        return f"{view['id']} was {view['status']} and is {row.status}"
    return None


def _missing_refund(answer: Definite, rows: Mapping[UUID, store.RefundRow]) -> str | None:
    view = answer.view()
    row = rows.get(decode(Prefix.REFUND, str(view["id"])))
    if row is None:
        return f"{view['id']} is not there"
    told = (view["refund_no"], view["amount_minor"])
    return None if told == (row.refund_no, row.amount_minor) else f"{view['id']} is another refund"


def _check_effects(case: _Case) -> None:
    """One key, one effect; one order, one payment that keeps it; one payment, its money once."""
    an_intent = Counter(intent.order_no for intent in case.log.intents.values() if intent.order_no)
    rows = Counter(payment.order_no for payment in case.payments)
    twice = [
        f"order {no}: {count} payments of {an_intent[no]} keys"
        for no, count in rows.items()
        if no in an_intent and count > an_intent[no]
    ]
    kept = Counter(p.order_id for p in case.payments if p.status in HOLDS_ORDER)
    twice += [f"order {id_} is kept by {count} payments" for id_, count in kept.items() if count > 1]
    for payment in case.payments:
        moved = case.moved.get(payment.id, store.Moved(0, 0))
        if moved.moved_minor != payment.captured_minor:
            twice.append(
                f"payment {payment.id} captured {payment.captured_minor}, its journals moved {moved.moved_minor}"
            )
    numbers = Counter((refund.payment_id, refund.refund_no) for refund in case.refunds)
    twice += [f"refund {no} stands {count} times" for (_, no), count in numbers.items() if count > 1]
    case.counts["doubled"] += case.find("one_effect", twice)


def _check_sums(case: _Case) -> None:
    """Fees are rounded once, and no more is given back than was taken."""
    rates = {shop.id: shop.rate_ppm for shop in case.town.shops}
    wrong = [
        f"payment {p.id}: fee {p.fee_minor} on {p.captured_minor}"
        for p in case.payments
        if p.fee_minor != half_even(p.captured_minor * rates[p.merchant_id], PPM)
    ]
    case.find("fee", wrong)
    given: Counter[UUID] = Counter()
    for refund in case.refunds:
        if refund.status != "failed":
            given[refund.payment_id] += refund.amount_minor
    over = [
        f"payment {p.id}: {given[p.id]} refunded, {p.refunded_minor} noted, {p.captured_minor} captured"
        for p in case.payments
        if given[p.id] != p.refunded_minor or p.refunded_minor > p.captured_minor
    ]
    case.find("refunds", over)


def half_even(numerator: int, denominator: int) -> int:
    """A quotient rounded half-even, written apart from the product's own so that one does not hide the other."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest < denominator:
        return whole
    if 2 * rest > denominator:
        return whole + 1
    return whole + whole % 2


async def _check_repeats(fleet: Fleet, case: _Case, at_most: int) -> None:
    """The same key gives the same bytes once more. The first and the last answers count as much as any."""
    names = [name for name, answer in case.log.answers.items() if answer.is_stored]
    chosen = _spread(names, at_most)
    room = asyncio.Semaphore(REPEATS_AT_ONCE)
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as http:

        async def again(name: tuple[UUID, str]) -> str | None:
            before = case.log.answers[name]
            async with room:
                for pause_s in (0.0, 0.2, 1.0, 2.0):
                    await asyncio.sleep(pause_s)
                    now = await fleet.send_once(http, case.log.intents[name])
                    if now is not None and now.status not in (429, 503):
                        break
            if now is None or (now.status, now.body) != (before.status, before.body):
                told = "nothing" if now is None else f"{now.status} {now.code or ''}"
                return f"{name[1]}: {before.status} first, then {told}"
            return None

        found = await asyncio.gather(*(again(name) for name in chosen))
    case.counts["repeated"] = len(chosen)
    case.counts["lost"] += case.find("repeat", [detail for detail in found if detail])


def _spread(names: Sequence[tuple[UUID, str]], at_most: int) -> list[tuple[UUID, str]]:
    if len(names) <= at_most:
        return list(names)
    step = len(names) / at_most
    return [names[int(n * step)] for n in range(at_most)]
