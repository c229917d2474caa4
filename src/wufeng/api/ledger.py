"""What happened in the ledger because of an object: its journals, leg by leg."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity import CallerKind
from wufeng.identity.people.queries import wallets_of_people
from wufeng.ledger.views import JournalView, view_journals


class JournalsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose journals: the id of a payment, refund, bill, repayment, top-up …"""

    of: Annotated[str, Meta(min_length=1, max_length=40)]


class JournalList(Struct, frozen=True, kw_only=True):
    """All journals of one object, in order: there are few."""

    data: list[JournalView]
    next: str | None = None
    has_more: bool = False


async def list_journals(call: Call[Nothing, JournalsQuery]) -> Answer:
    """The journals of an object. A person sees the legs on accounts of their own, staff all."""
    prefix, id_ = _object(call.query.of)
    book = call.book
    async with call.services.database.read() as db:
        posted = await ledger.journals_of(db, book.bucket_of(id_), id_)
        views = await view_journals(db, book, posted, prefix)
        if call.caller.kind is CallerKind.PERSON:
            person_id = call.caller.person_id
            assert person_id is not None
            bucket = book.bucket_of(person_id)
            wallets = await wallets_of_people(db, bucket, [person_id])
            lines = await credit.load_lines_of_people(db, bucket, [person_id])
            own = {encode(Prefix.WALLET, wallet) for wallet in wallets.values()}
            views = _own_parts(views, own | {encode(Prefix.LINE, line.id) for line in lines})
    if not views and call.caller.kind is CallerKind.PERSON:
        raise not_found("object with journals")
    return reply(JournalList(data=views))


def _own_parts(views: Collection[JournalView], owners: Collection[str]) -> list[JournalView]:
    cut = (replace(view, legs=tuple(leg for leg in view.legs if leg.owner in owners)) for view in views)
    return [view for view in cut if view.legs]


def _object(text: str) -> tuple[Prefix, UUID]:
    head = text.rpartition("_")[0]
    try:
        prefix = Prefix(head)
        return prefix, decode(prefix, text)
    except ValueError:
        raise not_found("object with journals") from None


ROUTES = (
    Route(
        method="GET",
        path="/v1/journals",
        operation="list_journals",
        summary="The journals of an object",
        handle=list_journals,
        query=JournalsQuery,
        answers={200: JournalList},
    ),
)
