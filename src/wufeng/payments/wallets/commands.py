"""What can be asked of wallets: put money in, take it out; and what the bank said of it.

A top-up is booked only when the bank has said yes. A withdrawal is held at once, and posted or released by the bank's
answer. Both are `pending` in between, for as long as the bank takes.
"""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.books import Book
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.identity.bank_accounts.queries import bank_account_states
from wufeng.ledger.model import NOTHING, AccountKind, Cause, Hold, Journal, account_id
from wufeng.ledger.rules import top_up, top_up_settled, withdrawal, withdrawal_settled
from wufeng.payments.bank.model import Answered
from wufeng.payments.wallets import rules, store
from wufeng.payments.wallets.model import (
    Ask,
    Movement,
    MovementAnswered,
    MovementKind,
    MovementStatus,
    TopUp,
    Usage,
    WalletPolicy,
    Withdraw,
)

KINDS: dict[type[Ask], MovementKind] = {TopUp: MovementKind.TOP_UP, Withdraw: MovementKind.WITHDRAWAL}


class StoredValue(Struct, frozen=True):
    """Whether an installation holds people's money: the profile `full` does, `credit_only` does not."""

    held: bool


def handlers(
    policy: WalletPolicy, stored_value: StoredValue, has_bank: Callable[[Book], bool]
) -> dict[type[Command], Handler]:
    """The lane handlers of wallets. `has_bank`: a bank is connected to that book."""
    desk = _Desk(policy, stored_value, has_bank)
    return {TopUp: desk.ask, Withdraw: desk.ask, MovementAnswered: desk.answer}


def answer_command(answered: Answered) -> MovementAnswered:
    """The command by which a top-up or a withdrawal takes the bank's answer."""
    return MovementAnswered(
        at=answered.at,
        people=(answered.owner_id,),
        movement_id=answered.id,
        done=answered.done,
        code=answered.code,
    )


class _Desk:
    """Handlers over one policy. It keeps nothing between batches."""

    def __init__(
        self, policy: WalletPolicy, stored_value: StoredValue, has_bank: Callable[[Book], bool]
    ) -> None:
        self.policy = policy
        self.stored_value = stored_value
        self.has_bank = has_bank

    async def ask(self, batch: Batch, commands: Sequence[Ask]) -> list[Answer | Problem]:
        """Begin top-ups or withdrawals: 202 with the pending movement."""
        if (problem := self._closed(batch.book)) is not None:
            return [problem for _ in commands]
        answers: dict[UUID, Answer | Problem] = {}
        dates = {batch.book.business_date(command.at) for command in commands}
        for on in sorted(dates):  # nearly always one; the next date finds what the one before has written
            of_date = [command for command in commands if batch.book.business_date(command.at) == on]
            answers |= await self._ask_on(batch, of_date, on)
        return [answers[command.movement_id] for command in commands]

    async def _ask_on(self, batch: Batch, commands: Sequence[Ask], on: date) -> dict[UUID, Answer | Problem]:
        kind = KINDS[type(commands[0])]
        accounts = await bank_account_states(batch.db, batch.bucket, {c.bank_account_id for c in commands})
        wallets = {c.wallet_id: account_id(c.wallet_id, AccountKind.WALLET) for c in commands}
        found = await ledger.load_balances(batch.db, batch.bucket, list(wallets.values()))
        balances = {wallet: found.get(account, NOTHING) for wallet, account in wallets.items()}
        usages = await store.load_usage(batch.db, batch.bucket, wallets, on)

        answers: dict[UUID, Answer | Problem] = {}
        begun: list[Movement] = []
        for command in commands:
            wallet = command.wallet_id
            balance, usage = balances[wallet], usages.get(wallet, Usage())
            guard = batch.people.get(command.person_id)
            account = accounts.get(command.bank_account_id)
            problem = rules.problem_of(kind, command, guard, account, balance, usage, self.policy)
            if problem is not None:
                answers[command.movement_id] = problem
                continue
            balances[wallet], usages[wallet] = rules.after_ask(kind, command.amount_minor, balance, usage)
            movement = _movement(kind, command, batch.book.currency, on)
            begun.append(movement)
            answers[command.movement_id] = _answer(202, movement)
        if begun:
            await store.insert_movements(batch.db, batch.bucket, begun)
            if kind is MovementKind.WITHDRAWAL:
                await ledger.place_holds(batch, [_hold(movement) for movement in begun])
            for movement in begun:
                _tell(batch, movement, on)
        return answers

    async def answer(self, batch: Batch, commands: Sequence[MovementAnswered]) -> list[Answer | Problem]:
        """Take the bank's answers. A movement that has its answer stays as it is, whatever is said later."""
        known = await store.load_movements(batch.db, batch.bucket, {c.movement_id for c in commands})
        answers: list[Answer | Problem] = []
        ended: list[Movement] = []
        for command in commands:
            movement = known.get(command.movement_id)
            if movement is None:
                answers.append(not_found("movement"))
                continue
            assert movement.person_id in batch.people, "the person is locked before money moves"
            if movement.status is MovementStatus.PENDING:
                on = batch.book.business_date(command.at)
                movement = known[movement.id] = _ended(movement, command, on)
                ended.append(movement)
                _tell(batch, movement, on)
            answers.append(_answer(200, movement))
        if ended:
            await _book(batch, ended)
            await store.end_movements(batch.db, batch.bucket, ended)
        return answers

    def _closed(self, book: Book) -> Problem | None:
        if not self.stored_value.held:
            return Problem(
                Code.FORBIDDEN,
                "This installation holds no stored value: it has no wallets to move money with.",
            )
        if not self.has_bank(book):
            return Problem(
                Code.FORBIDDEN, "No bank is connected to this book: no money comes in or goes out."
            )
        return None


async def _book(batch: Batch, ended: Sequence[Movement]) -> None:
    """Move the money of movements that ended: holds first, then journals."""
    out = [m for m in ended if m.kind is MovementKind.WITHDRAWAL]
    await ledger.post_holds(batch, [(m.id, m.amount_minor) for m in out if m.status is MovementStatus.POSTED])
    await ledger.void_holds(batch, [m.id for m in out if m.status is MovementStatus.FAILED])
    journals = [
        journal
        for movement in ended
        if movement.status is MovementStatus.POSTED
        for journal in _journals(movement, batch.book.id)
    ]
    if journals:
        await ledger.post(batch, journals)


def _journals(movement: Movement, book_id: int) -> tuple[Journal, Journal]:
    """Two journals, though the bank's yes is also our sight of the money: clearing shows what came through it."""
    assert movement.posted_on is not None, "only a posted movement has journals"
    note = msgspec.json.encode({"person": encode(Prefix.PERSON, movement.person_id)})
    cause = Cause(movement.id, movement.currency, movement.posted_on, book_id, note)
    if movement.kind is MovementKind.TOP_UP:
        return top_up(cause, movement.wallet_id, movement.amount_minor), top_up_settled(
            cause, movement.amount_minor
        )
    return withdrawal(cause, movement.wallet_id, movement.amount_minor), withdrawal_settled(
        cause, movement.amount_minor
    )


def _movement(kind: MovementKind, command: Ask, currency: str, on: date) -> Movement:
    assert command.amount_minor > 0, "the border refuses a movement of nothing"
    return Movement(
        id=command.movement_id,
        kind=kind,
        status=MovementStatus.PENDING,
        person_id=command.person_id,
        wallet_id=command.wallet_id,
        bank_account_id=command.bank_account_id,
        amount_minor=command.amount_minor,
        currency=currency,
        asked_on=on,
        created_at=command.at,
    )


def _ended(movement: Movement, command: MovementAnswered, on: date) -> Movement:
    if command.done:
        return replace(movement, status=MovementStatus.POSTED, posted_on=on)
    return replace(movement, status=MovementStatus.FAILED, failure=command.code or "refused")


def _hold(movement: Movement) -> Hold:
    account = account_id(movement.wallet_id, AccountKind.WALLET)
    return Hold(movement.id, account, movement.amount_minor, movement.id)


def _tell(batch: Batch, movement: Movement, on: date) -> None:
    kind = f"{movement.kind.value}.{movement.status.value}"
    batch.events.append(Event(kind, movement.id, _body(movement), on, person_id=movement.person_id))


def _answer(status: int, movement: Movement) -> Answer:
    return Answer(status, _body(movement), movement.id)


def _body(movement: Movement) -> bytes:
    return msgspec.json.encode(rules.view_of(movement))
