"""Erasing a person: what must have ended before nobody knows them any more."""

from typing import Any
from uuid import UUID

from wufeng.api.routing import Call
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.queries import Reading, list_lines
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.queries import show_person
from wufeng.payments import PaymentFilter, PaymentStatus, list_payments
from wufeng.payments.rides.queries import fares_owed
from wufeng.payments.wallets.model import MovementStatus
from wufeng.payments.wallets.queries import list_movements, show_wallet

OPEN_PAYMENTS = (PaymentStatus.REQUIRES_ACTION, PaymentStatus.PENDING, PaymentStatus.AUTHORISED)
LINES_MAX = 100
MOVEMENTS_MAX = 100


async def refuse_unfinished(call: Call[Any, Any], person_id: UUID) -> None:
    """Refuse to erase a person who still owes or owns something, or has something under way (state_conflict).

    They must be frozen before: nothing new can begin between this look and the deed. An unknown one is not_found.
    """
    services, book = call.services, call.book
    async with services.database.read() as db:
        person = await show_person(db, services.vault, book, person_id)
        if person.status is not PersonStatus.FROZEN:
            raise Problem(Code.STATE_CONFLICT, "Freeze the person first: nothing new may begin meanwhile.")
        fares_minor = await fares_owed(db, book, person_id)
        wallet_id = decode(Prefix.WALLET, person.wallet)
        wallet = await show_wallet(db, services.vault, book, wallet_id)
        on = book.business_date(call.at)
        lines = await list_lines(
            Reading(db, book, services.products, on, call.language), person_id, None, LINES_MAX
        )
        moving = await list_movements(db, book, wallet_id, None, None, MOVEMENTS_MAX)
        paying = [
            payment
            for status in OPEN_PAYMENTS
            for payment in await list_payments(
                db, book, PaymentFilter(payer_id=person_id, status=status), None, 1
            )
        ]
    remains = {
        "money in the wallet": wallet.balance_minor or wallet.held_minor,
        "a line that is not closed": any(line.status is not LineStatus.CLOSED for line in lines),
        "a top-up or withdrawal under way": any(one.status is MovementStatus.PENDING for one in moving),
        "a payment under way": paying,
        "fares that are not paid": fares_minor,
    }
    if found := [what for what, is_there in remains.items() if is_there]:
        raise Problem(Code.STATE_CONFLICT, f"Still there: {', '.join(found)}.")
