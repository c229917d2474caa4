"""What payments take of campaigns' budgets: room before they are decided, what they use, what goes back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base import faults
from wufeng.base.lanes import Batch
from wufeng.credit import calendar_of
from wufeng.payments.campaigns import commands as campaigns
from wufeng.payments.campaigns.rules import room_on, subsidy_minor
from wufeng.payments.pay.model import Funding, Payment
from wufeng.payments.pay.rules import Decided
from wufeng.payments.pay.state import Table


class Wanted(Struct, frozen=True, gc=False):
    """A payment that is to be decided."""

    payer_id: UUID
    funding: Funding
    amount_minor: int
    at: datetime


async def take_rooms(batch: Batch, table: Table, payments: Sequence[Wanted]) -> None:
    """Take what payments with a campaign may need of its budget. Comes after the orders are claimed.

    No statement when no campaign is in play; mostly one when there is. `return_rooms` has to follow.
    """
    asked: Counter[UUID] = Counter()
    for one in payments:
        if one.funding.campaign_id is not None:
            asked[one.funding.campaign_id] += _most_of(batch, table, one)
    if asked:
        table.rooms = await campaigns.take(batch, asked)


def _most_of(batch: Batch, table: Table, one: Wanted) -> int:
    """The most that a payment's subsidy can come to: all of it drawn; a smaller part may round up in a month."""
    funding = one.funding
    on = batch.book.business_date(one.at)
    product = table.product(funding.line_id, on)
    if product is None or funding.line_id is None or one.payer_id not in table.states:
        return 0
    state = table.states[one.payer_id].lines.get(funding.line_id)
    if state is None:
        return 0
    whole_minor = subsidy_minor(
        product,
        calendar_of(state.line, product),
        one.amount_minor,
        funding.tenor,
        funding.merchant_share_ppm,
        on,
    )
    return whole_minor + funding.tenor if funding.use_wallet else whole_minor


def room_of(table: Table, funding: Funding, on: date) -> int | None:
    """What a payment may take of its campaign now, below 0 when that is over; None: it has none."""
    return room_on(table.rooms.get(funding.campaign_id), on) if funding.campaign_id is not None else None


def use_room(table: Table, funding: Funding, decided: Decided) -> int:
    """What a payment that goes on takes of its campaign; the room moves on."""
    campaign_id, draw = funding.campaign_id, decided.draw
    if campaign_id is None or draw is None:
        return 0
    used_minor = draw.plan.subsidy_minor
    room = table.rooms[campaign_id]
    assert used_minor <= room.left_minor, "no payment takes more than there is"
    if not faults.planted(faults.Plant.FORGET_BUDGET):
        table.rooms[campaign_id] = replace(room, left_minor=room.left_minor - used_minor)
    return used_minor


async def return_rooms(batch: Batch, table: Table) -> None:
    """Give back what no payment of the batch used."""
    rooms, table.rooms = table.rooms, {}
    await campaigns.give_back(batch, {id_: room.left_minor for id_, room in rooms.items()})


async def take_excess(batch: Batch, excess: Mapping[UUID, tuple[UUID, int]]) -> set[UUID]:
    """Take amounts for parts of authorised payments, whatever state their campaigns are in: the price was given.

    excess  campaign and amount, by payment. Returns the payments for which there is no room; nothing is taken for them.
    """
    asked: Counter[UUID] = Counter()
    for campaign_id, amount_minor in excess.values():
        asked[campaign_id] += amount_minor
    left = {id_: room.left_minor for id_, room in (await campaigns.take(batch, asked)).items()}
    lacking: set[UUID] = set()
    for payment_id, (campaign_id, amount_minor) in excess.items():
        if amount_minor <= left[campaign_id]:
            left[campaign_id] -= amount_minor
        else:
            lacking.add(payment_id)
    await campaigns.give_back(batch, left)
    return lacking


async def release(batch: Batch, changes: Sequence[tuple[Payment, Payment]]) -> None:
    """Give back what payments hold no longer of their campaigns: before and after an end, a capture or a refund."""
    freed: Counter[UUID] = Counter()
    for before, after in changes:
        campaign_id = before.funding.campaign_id
        if campaign_id is not None:
            freed[campaign_id] += max(0, _of_budget(before) - _of_budget(after))
    await campaigns.give_back(batch, freed)


def _of_budget(payment: Payment) -> int:
    return payment.campaign_minor + payment.campaign_held_minor
