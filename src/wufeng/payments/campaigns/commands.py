"""What can be asked of campaigns, and how payments take of their budgets.

A budget is kept by leases: each bucket has a slice in a row of its own, and the slices with what no bucket holds are
the budget. A payment takes of its bucket's slice in its own transaction; a slice that is too small is filled from what
no bucket holds, in the same transaction, after claims and before the head. Where nothing is left but room in other
buckets the payment is refused for now, and a timer evens the slices out (`even_out`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.claims import Answer
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.lanes import Batch
from wufeng.payments.campaigns import rules, store
from wufeng.payments.campaigns.model import (
    CampaignStatus,
    Counted,
    CreateCampaign,
    Room,
)
from wufeng.payments.campaigns.queries import load_campaign
from wufeng.payments.campaigns.views import view_campaign


async def create(batch: Batch, desk: object, commands: Sequence[CreateCampaign]) -> list[Answer | Problem]:  # noqa: ARG001
    """Make campaigns. A merchant has at most `rules.LIVE_MAX` that are not over."""
    answers: list[Answer | Problem] = []
    for command in commands:
        campaign, on = command.campaign, batch.book.business_date(command.at)
        live = await store.count_live(batch.db, batch.book.id, campaign.merchant_id, on)
        if live >= rules.LIVE_MAX:
            detail = f"There are {live} campaigns that are not over: end one first."
            answers.append(Problem(Code.STATE_CONFLICT, detail))
            continue
        await store.insert_campaign(batch.db, campaign)
        view = view_campaign(Counted(campaign, 0), command.currency, on)
        answers.append(Answer(201, msgspec.json.encode(view), campaign.id))
    return answers


async def move_campaign(
    database: Database,
    book: Book,
    campaign_id: UUID,
    merchant_id: UUID | None,
    to: CampaignStatus,
    at: datetime,
) -> Counted:
    """Pause, resume or end a campaign; in that state already nothing changes.

    merchant_id  whose it must be (another's is not_found); None: any. Refuses (raises) what has ended.
    """
    async with database.transaction() as db:
        campaign = await store.lock_campaign(db, book.id, campaign_id)
        if campaign is None or merchant_id not in (None, campaign.merchant_id):
            raise not_found("campaign")
        after = rules.moved(campaign, to, book.business_date(at))
        if isinstance(after, Problem):
            raise after
        if after is not campaign:
            await store.move_campaign(db, book.id, campaign_id, after.status)
        counted = await load_campaign(db, book, campaign_id)
    assert counted is not None, "a campaign is kept for ever"
    return counted


async def take(batch: Batch, asked: Mapping[UUID, int]) -> dict[UUID, Room]:
    """Take of budgets what a batch may need, an amount a campaign, as far as there is room for this bucket.

    What no payment uses has to be given back in the same transaction. One statement, unless a slice is too small. A
    campaign that does not exist is absent.
    """
    rooms = await store.take_slices(batch.db, batch.bucket, asked)
    short = {
        id_: asked_minor - (rooms[id_].left_minor if id_ in rooms else 0)
        for id_, asked_minor in asked.items()
        if id_ not in rooms or rooms[id_].left_minor < asked_minor
    }
    if short:
        one_in = 2 * len(batch.book.buckets)
        filled = await store.refill_slices(batch.db, batch.bucket, short, one_in)
        for id_, room in filled.items():
            before_minor = rooms[id_].left_minor if id_ in rooms else 0
            rooms[id_] = replace(room, left_minor=before_minor + room.left_minor)
    return rooms


async def give_back(batch: Batch, amounts: Mapping[UUID, int]) -> None:
    """Give back to this bucket's slices what a payment does not need, or a refund returns."""
    back = {id_: amount_minor for id_, amount_minor in amounts.items() if amount_minor}
    assert all(amount_minor > 0 for amount_minor in back.values()), "what is taken is asked for"
    if back:
        await store.give_back(batch.db, batch.bucket, back)


async def even_out(database: Database, book: Book, at: datetime) -> int:
    """Free the unused room of campaigns whose budget the buckets hold whole; returns how many slices were emptied.

    For a timer; safe to repeat, and in several processes. What is freed goes to the bucket that next needs it.
    """
    async with database.read() as db:
        ids = await store.list_given_out(db, book.id, book.business_date(at))
    emptied = 0
    for bucket in book.buckets if ids else ():
        async with database.transaction() as db:
            freed = await store.empty_slices(db, bucket, ids)
            if freed:
                await store.return_room(db, freed)
        emptied += len(freed)
    return emptied
