"""What can be asked of friends' links: make one, cancel one. The payment itself is an ordinary one, of the friend's."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.payments.friend_links import rules, store
from wufeng.payments.friend_links.model import FriendLink
from wufeng.payments.friend_links.queries import Asked, load_asked
from wufeng.payments.orders.queries import find_order


async def ask_friend(
    database: Database, ids: IdMaker, book: Book, order_id: UUID, asker_id: UUID, at: datetime
) -> Asked:
    """A person's link for an order that waits; asked again, the same one while it can be used.

    Refuses (raises) an absent order, and one that cannot be paid now.
    """
    bucket = book.bucket_of(order_id)
    async with database.transaction() as db:
        order = await find_order(db, book, order_id)
        if order is None:
            raise not_found("order")
        if (problem := rules.problem_if_no_friend(order, at)) is not None:
            raise problem
        last = await store.load_newest_link(db, bucket, order_id, asker_id)
        if last is not None and at < last.expires_at:
            return Asked(last, order)
        link = FriendLink(
            id=ids.new(at, slot_of(order_id)),
            order_id=order_id,
            asker_id=asker_id,
            expires_at=rules.ends_at(order, at),
            cancelled_at=None,
            created_at=at,
        )
        await store.insert_link(db, bucket, link)
    return Asked(link, order)


async def cancel_friend(database: Database, book: Book, link_id: UUID, asker_id: UUID, at: datetime) -> Asked:
    """Whoever asked asks no longer. Another's is not there (raises not_found); twice changes nothing.

    Refuses (raises state_conflict) when somebody pays already.
    """
    async with database.transaction() as db:
        asked = await load_asked(db, book, link_id)
        if asked is None or asked.link.asker_id != asker_id:
            raise not_found("friend link")
        if (
            problem := rules.problem_if_not_cancellable(rules.status_of(asked.link, asked.order, at))
        ) is not None:
            raise problem
        await store.cancel_link(db, book.bucket_of(link_id), link_id, at)
    return Asked(replace(asked.link, cancelled_at=asked.link.cancelled_at or at), asked.order)
