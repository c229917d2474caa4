"""Rewriting a line's history inside a batch: one event more or one less, and the rows as if it had always been so.

Decisions, what was paid out and what was told stay as they were; differences are posted anew (DESIGN.md, decision 5).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import dropwhile
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.charge_offs.rules import last_bill_id
from wufeng.credit.debts.commands import Move
from wufeng.credit.debts.issuing import Known
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw, draw_number
from wufeng.credit.draws.rules import reborn
from wufeng.credit.history import places
from wufeng.credit.history.due_days import Moves, line_of, load_moves
from wufeng.credit.history.model import (
    BillSplit,
    ChargedOff,
    Delivered,
    Drawn,
    Event,
    Issued,
    Refunded,
    Repaid,
    ReturnKept,
    SentBack,
    Standing,
)
from wufeng.credit.history.places import LAST, PENDING, Placed
from wufeng.credit.history.rules import fold_by, settling
from wufeng.credit.history.telling import Teller
from wufeng.credit.journals import moved_between
from wufeng.credit.lines.model import Line
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.refunds import store as refunds
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Repayment, RepaymentStatus, Spread
from wufeng.credit.repayments.rules import brought_up
from wufeng.ledger import AccountKind, Journal, JournalKind, account_id

log = structlog.get_logger("wufeng.history")

Late = Repaid | Refunded
"""What may be dated back."""

SET_ASIDE = (
    "What this line owes is not what its history makes of it, so nothing is dated back: staff must look."
)
"""Why a line's history is not rewritten. The error in the log names the line, and what differs or why it fell over."""


class History(Struct, frozen=True):
    """A line's rows, and the events behind them in their order."""

    rows: Debt
    items: Mapping[UUID, BillItems]
    repayments: Sequence[Repayment]
    placed: tuple[Placed, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """The events without their places."""
        return tuple(one.event for one in self.placed)


class Lived(Struct, frozen=True):
    """A line's history, what its events make of it by today, and who has told it and tells it otherwise."""

    history: History
    standing: Standing
    teller: Teller


class Rewritten(Struct, frozen=True):
    """What a change of history does: rows to keep, and the standings between which the difference is posted.

    told  the events of the changed history in their order
    """

    before: Standing
    after: Standing
    told: tuple[Placed, ...]
    move: Move
    items: Mapping[UUID, BillItems]
    new_bills: tuple[tuple[Bill, BillItems], ...]
    repayments: tuple[Repayment, ...]

    def repaid_after(self, refund_id: UUID) -> set[UUID]:
        """The repayments that count from after a refund."""
        after = dropwhile(
            lambda event: not isinstance(event, Refunded) or event.refund_id != refund_id,
            (one.event for one in self.told),
        )
        return {event.repayment_id for event in after if isinstance(event, Repaid)}


async def load_history(batch: Batch, products: Products, line: Line) -> History:
    """Everything that ever happened to what a line owes."""
    db, bucket = batch.db, batch.bucket
    all_draws = await draws.load_draws_of_line(db, bucket, line.id)
    all_bills = await bills.load_bills_of_line(db, bucket, line.id)
    all_repayments = await repayments.load_repayments_of_line(db, bucket, line.id)
    all_refunds = await refunds.load_refunds_of_line(db, bucket, line.id)
    posted = [one for one in all_repayments if one.status is RepaymentStatus.POSTED]
    of = {
        *(draw.payment_id for draw in all_draws if draw.payment_id is not None),
        *(one.id for one in posted),
        *(one.refund_id for one in all_refunds),
    }
    seqs = await _seqs_of(batch, of)
    moves = await load_moves(db, batch.book, line)
    placed = [
        *_placed_draws(all_draws, line, moves, products, seqs),
        *await _placed_bills(batch, line, all_bills),
        *(places.moved(move, line.id) for _, move in moves),
        *await _placed_loss(batch, line, all_bills),
        *await _placed_kept(batch, line, [one.refund_id for one in all_refunds]),
    ]
    for one in posted:
        placed.append(places.repaid(repaid_of(one), _first(seqs, one.id)))
    for refunded in all_refunds:
        placed += await _placed_sent(batch, line, refunded)
        placed.append(places.booked(refunded, refunded.refund_id, _first(seqs, refunded.refund_id)))
    items = await bills.load_items(db, bucket, [bill.id for bill in all_bills])
    rows = Debt(line, tuple(all_bills), tuple(all_draws))
    return History(rows, items, all_repayments, places.in_order(placed))


def repaid_of(one: Repayment) -> Repaid:
    """A repayment as an event of its line's history."""
    return Repaid(one.value_on, one.id, one.source, one.amount_minor, one.plan, one.asked_seq)


def _placed_draws(
    all_draws: Sequence[Draw],
    line: Line,
    moves: Moves,
    products: Products,
    seqs: Mapping[UUID, Sequence[int]],
) -> Iterator[Placed]:
    made = Counter(draw.payment_id for draw in all_draws)
    for draw in all_draws:
        assert draw.posted_on is not None, "only posted draws are loaded"
        product = products.version(line.product, draw.product_version, line.tier)
        seq = _seq_of(draw, made[draw.payment_id], seqs)
        born = reborn(draw, line_of(draw, line, moves, product, seq), product)
        if draw.of_bill is not None:
            yield places.planned(BillSplit(draw.posted_on, draw.of_bill, born))
            continue
        yield places.booked(Drawn(draw.posted_on, born), draw.id, LAST if seq is None else seq)
        if draw.billable_on is not None and born.billable_on is None:
            yield places.delivered(Delivered(draw.billable_on, draw.id))


async def _placed_bills(batch: Batch, line: Line, all_bills: Sequence[Bill]) -> list[Placed]:
    """The bills of the closes; the one that a charge-off made, the only one of its date, belongs to that."""
    of_closes = [bill for bill in all_bills if bill.issued_on != line.charged_off_on]
    seqs = await bills.load_seqs(batch.db, batch.bucket, [bill.id for bill in of_closes])
    placed = []
    for bill in of_closes:
        known = Known(
            bill.due_on,
            bill.over_limit_minor,
            bill.used_minor is not None,
            bill.above_limit,
            bill.over_limit_used_minor is not None,
        )
        placed.append(places.issued(Issued(bill.issued_on, bill.id, known), seqs.get(bill.id)))
    return placed


async def _placed_loss(batch: Batch, line: Line, all_bills: Sequence[Bill]) -> list[Placed]:
    """The charge-off, where there was one, after what had been booked before it."""
    on = line.charged_off_on
    if on is None:
        return []
    posted = await ledger.journals_of(batch.db, batch.bucket, line.id)
    (seq,) = (one.seq for one in posted if one.journal.kind is JournalKind.CHARGE_OFF)
    bill = next((bill for bill in all_bills if bill.issued_on == on), None)
    event = ChargedOff(on, bill.id if bill is not None else last_bill_id(line.id), is_billed=bill is not None)
    return [places.booked(event, line.id, seq)]


async def _placed_kept(batch: Batch, line: Line, refund_ids: Sequence[UUID]) -> list[Placed]:
    """What banks refused to take back for refunds: each undid the journal that had sent it on its way."""
    favour = account_id(line.id, AccountKind.LINE_CREDIT_BALANCE)
    placed = []
    written = await ledger.reversals_of(batch.db, batch.bucket, refund_ids)
    pending = [one for one in _pending(batch, refund_ids) if one[1].reverses is not None]
    for seq, undone in [*((posted.seq, posted.journal) for posted in written), *pending]:
        amount_minor = -undone.amounts[undone.accounts.index(favour)]
        event = ReturnKept(undone.business_on, undone.of, amount_minor)
        placed.append(places.booked(event, undone.of, seq))
    return placed


async def _placed_sent(batch: Batch, line: Line, refunded: Refunded) -> list[Placed]:
    """What a refund sent later than the date from which it counts: by the journals that sent it, the newest last. One
    that is to be posted still has no number at all.
    """
    if not refunded.sent_later:
        return []
    favour = account_id(line.id, AccountKind.LINE_CREDIT_BALANCE)
    of_refund = await ledger.journals_of(batch.db, batch.bucket, refunded.refund_id)
    posted = [
        (seq, journal)
        for seq, journal in [
            *((one.seq, one.journal) for one in of_refund),
            *_pending(batch, [refunded.refund_id]),
        ]
        if journal.kind is JournalKind.CREDIT_BALANCE_RETURNED
    ]
    placed = []
    for sent in reversed(refunded.sent_later):
        assert sent.on is not None, "what was sent later has a date of its own"
        leg = sent.on, sent.amount_minor
        of = [one for one in posted if (one[1].business_on, _moved(one[1], favour)) == leg]
        if of:
            posted.remove(of[-1])
        event = SentBack(sent.on, refunded.refund_id, sent.amount_minor)
        placed.append(places.booked(event, refunded.refund_id, of[-1][0] if of else LAST))
    return placed


def _moved(journal: Journal, account: UUID) -> int:
    """What a journal moved on an account."""
    legs = zip(journal.accounts, journal.amounts, strict=True)
    return sum(amount for id_, amount in legs if id_ == account)


async def _seqs_of(batch: Batch, of: Collection[UUID]) -> dict[UUID, list[int]]:
    """The numbers of the journals of some objects, in their order."""
    seqs = await ledger.seqs_of(batch.db, batch.bucket, of)
    for seq, journal in _pending(batch, of):
        seqs.setdefault(journal.of, []).append(seq)
    return seqs


def _pending(batch: Batch, of: Collection[UUID]) -> list[tuple[int, Journal]]:
    """What this very batch posts for some objects, as if it had its numbers."""
    return [one for one in enumerate(batch.journals, PENDING) if one[1].of in of]


def _seq_of(draw: Draw, made: int, seqs: Mapping[UUID, Sequence[int]]) -> int | None:
    """The journal that posted a draw. None: a plan of a bill has none.

    Its payment has one a capture, and made so many draws by the last of them: the wallet's part is captured first, and
    a capture of the wallet alone makes no draw.
    """
    if draw.payment_id is None:
        return None
    numbers = seqs.get(draw.payment_id, ())
    place = len(numbers) - made + draw_number(draw.id, draw.payment_id)
    return numbers[place] if 0 <= place < len(numbers) else LAST


def _first(seqs: Mapping[UUID, Sequence[int]], of: UUID) -> int:
    """The place of an event in its day; what posts its journals after this comes last."""
    return min(seqs.get(of, ()), default=LAST)


async def rewritten(
    batch: Batch, products: Products, line: Line, on: date, added: Late | None, removed: UUID | None
) -> Rewritten | Problem:
    """The line's history with a repayment or a refund more, or with a repayment less; or why it cannot be so. What
    comes more stands at the end of its value date, or where a bank was asked for it.

    A line whose rows are not what its events make of them is set aside, not rewritten. So is one of which they make
    nothing at all: only its own rows can be the cause, so its command alone is refused, and nothing has been written.
    """
    lived = await load_lived(batch, products, line, on)
    if isinstance(lived, Problem):
        return lived
    return retold(lived, on, added, removed)


def retold(lived: Lived, on: date, added: Late | None, removed: UUID | None = None) -> Rewritten | Problem:
    """A history that is loaded with one event more or less, as `rewritten` has it."""
    history, before = lived.history, lived.standing
    line = history.rows.line
    told = _otherwise(history, added, removed)
    after = folded(lived.teller, told, on)
    if isinstance(after, Stumbled):
        return _set_aside(
            line, f"its history told otherwise cannot be folded: {after}", error=after.__cause__
        )
    if isinstance(after, Problem):
        return after
    brought_minor = moved_between(before, after).money_minor
    if brought_minor != _brought(history, added, removed):
        return _set_aside(line, f"its history told otherwise brings {brought_minor} minor units")
    moved = Debt(after.line, tuple(after.bills.values()), tuple(after.draws.values()))
    return Rewritten(
        before=before,
        after=after,
        told=told,
        move=Move(history.rows, moved),
        items={id_: one for id_, one in after.items.items() if history.items.get(id_, one) != one},
        new_bills=tuple(
            (bill, after.items[id_]) for id_, bill in after.bills.items() if id_ not in history.items
        ),
        repayments=tuple(_reallocated(history.repayments, after)),
    )


def going_on(lived: Lived, done: Rewritten, refunded: Refunded) -> Lived:
    """The history that the next of several refunds finds: told with the one before, and with what that has sent back.

    Its rows stay those that are kept, so what the last of them has rewritten is all that is to be kept.
    """
    placed = places.inserted(lived.history.placed, places.booked(refunded, refunded.refund_id, LAST))
    left_minor = done.after.credit_balance_minor
    for sent in refunded.sent_later:
        assert sent.on is not None, "what was sent later has a date of its own"
        event = SentBack(sent.on, refunded.refund_id, sent.amount_minor)
        placed = places.inserted(placed, places.booked(event, refunded.refund_id, LAST))
        left_minor -= sent.amount_minor
    after = replace(done.after, credit_balance_minor=left_minor)
    return Lived(replace(lived.history, placed=placed), after, lived.teller)


async def settling_late(
    batch: Batch, products: Products, line: Line, plan: UUID, value_on: date, on: date
) -> Spread | Problem | None:
    """What settles a plan at the end of an earlier date: the price of money that counts from then. None: nothing of it
    was to come. A line whose history cannot be rewritten is refused here as it would be by `rewritten`.
    """
    lived = await load_lived(batch, products, line, on)
    if isinstance(lived, Problem):
        return lived
    history = lived.history
    place = places.end_of(history.placed, value_on)
    return settling(lived.teller, history.events, place, plan, value_on)


async def load_lived(batch: Batch, products: Products, line: Line, on: date) -> Lived | Problem:
    """A line's history, and what its events make of it; or why nothing is dated back."""
    try:
        history = await load_history(batch, products, line)
    except UNFIT as error:
        return _set_aside(line, f"its rows make no history: {error!r}", error=error)
    teller = Teller(line, products.of_line(line.product, line.product_version, line.tier))
    standing = _lived(history, teller, on)
    return standing if isinstance(standing, Problem) else Lived(history, standing, teller)


async def keep_items(batch: Batch, done: Rewritten) -> None:
    """Keep what bills of a rewritten history were issued with, and those that only it has issued. The rest of it goes
    the way of all that happens: its `move` by `debts.commands.keep`, repayments by their store.
    """
    if done.items:
        await bills.update_items(batch.db, batch.bucket, done.items)
    if done.new_bills:
        await bills.insert_bills(batch.db, batch.bucket, done.new_bills, len(batch.journals))


def _otherwise(history: History, added: Late | None, removed: UUID | None) -> tuple[Placed, ...]:
    """The events with one more, or with a repayment less."""
    events = history.placed
    if removed is not None:
        events = places.in_order(one for one in events if one.of != removed)
    match added:
        case Repaid(asked_seq=int()):
            return places.in_order((*events, places.repaid(added, LAST)))
        case Repaid():
            return places.inserted(events, places.repaid(added, LAST))
        case Refunded():
            return places.inserted(events, places.booked(added, added.refund_id, LAST))
    return events


def _brought(history: History, added: Late | None, removed: UUID | None) -> int:
    """The money that comes with the one, a person's or a merchant's, and goes with the other."""
    gone = (row.amount_minor for row in history.repayments if row.id == removed)
    return (added.amount_minor if added is not None else 0) - sum(gone)


def _reallocated(rows: Sequence[Repayment], after: Standing) -> list[Repayment]:
    """The repayments that have paid something else than their rows say."""
    changed = []
    for row in rows:
        pieces = after.allocations.get(row.id)
        if row.status is RepaymentStatus.POSTED and pieces is not None and pieces != row.allocation:
            changed.append(replace(row, allocation=pieces, principal_minor=principal_of(pieces)))
    return changed


def principal_of(pieces: Sequence[Allocation]) -> int:
    """Principal that pieces of a repayment paid, billed or not."""
    return sum(piece.amount_minor for piece in pieces if piece.part in (Paid.PRINCIPAL, Paid.UNBILLED))


def _lived(history: History, teller: Teller, on: date) -> Standing | Problem:
    """What a line's events make of it, if its rows are just that."""
    line = history.rows.line
    standing = folded(teller, history.placed, on)
    if isinstance(standing, Problem):
        return _set_aside(line, f"its events cannot have been: {standing}", error=standing.__cause__)
    if found := differences(history, standing, teller.versions.contract, on):
        return _set_aside(line, *found)
    return standing


def folded(teller: Teller, placed: Sequence[Placed], on: date) -> Standing | Problem:
    """What events make of a line, or why they cannot have been. The fold is pure: whatever it falls over is theirs."""
    try:
        return fold_by(teller, [one.event for one in placed], on)
    except Problem as problem:
        return problem
    except Exception as error:
        return Stumbled(error)


class Stumbled(Problem):
    """A fold that fell over its events: a bug, or rows that were changed by another hand. Staff must look."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(Code.STATE_CONFLICT, repr(cause))
        self.__cause__ = cause


UNFIT = (AssertionError, LookupError, ValueError)
"""What rows raise that do not fit each other; an error of the database is none of it."""


def _set_aside(line: Line, *why: str, error: BaseException | None = None) -> Problem:
    log.error("a line is set aside", line=encode(Prefix.LINE, line.id), differences=list(why), exc_info=error)
    return Problem(Code.STATE_CONFLICT, SET_ASIDE)


def differences(history: History, standing: Standing, product: Product, on: date) -> list[str]:
    """Which rows of a line are not what its events make of them."""
    rows = brought_up(history.rows, product, on)
    bills_as_folded = {id_: _plain(bill) for id_, bill in standing.bills.items()}
    draws_as_folded = {id_: _whole(draw) for id_, draw in standing.draws.items()}
    return [
        *(
            f"bill {encode(Prefix.BILL, bill.id)}"
            for bill in rows.bills
            if _plain(bill) != bills_as_folded.get(bill.id)
        ),
        *(
            f"draw {encode(Prefix.DRAW, draw.id)}"
            for draw in rows.draws
            if _whole(draw) != draws_as_folded.get(draw.id)
        ),
    ]


def _plain(bill: Bill) -> Bill:
    """A bill without what only says when the close looks at it."""
    return replace(bill, wake_on=None)


def _whole(draw: Draw) -> Draw:
    """A draw in which parts that are all zero are no parts: rows have either."""
    parts = {name: () for name in _CHARGES if not any(getattr(draw, name))}
    return replace(draw, **parts)


_CHARGES = ("fee_parts", "interest_parts", "subsidy_parts")
