"""The journals of one object, each drawn as T-accounts."""

from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng import ledger
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode
from wufeng.ledger import JournalView, find_journal, view_journals
from wufeng.web.console.frame import show
from wufeng.web.paging import Door, Reply, Visit, pages_of


class Account(Struct, frozen=True):
    """One account of a journal with its legs, debits to the left and credits to the right."""

    id: str
    kind: str
    owner: str
    debits: tuple[int, ...]
    credits: tuple[int, ...]


class Drawn(Struct, frozen=True):
    """A journal as it is drawn; both sums are the same."""

    journal: JournalView
    accounts: tuple[Account, ...]
    debit_minor: int
    credit_minor: int
    facts: tuple[tuple[str, str], ...]


async def journals(visit: Visit) -> Reply:
    """All journals of an object, or one by its own id."""
    of = visit.field("of")
    prefix, id_ = _object(of)
    async with visit.services.database.read() as db:
        if prefix is Prefix.JOURNAL:
            one = await find_journal(db, visit.book, of)
            if one is None:
                raise not_found("journal")
            views = [one]
        else:
            posted = await ledger.journals_of(db, visit.book.bucket_of(id_), id_)
            views = await view_journals(db, visit.book, posted, prefix)
    return await show(visit, "journals.html", of=of, journals=[draw(view) for view in views])


def draw(journal: JournalView) -> Drawn:
    """A journal with its legs by account, in the order of the legs."""
    legs: dict[str, list[int]] = {}
    named = {leg.account: leg for leg in journal.legs}
    for leg in journal.legs:
        legs.setdefault(leg.account, []).append(leg.amount_minor)
    accounts = tuple(
        Account(
            id_,
            named[id_].kind,
            named[id_].owner,
            tuple(amount for amount in amounts if amount > 0),
            tuple(-amount for amount in amounts if amount < 0),
        )
        for id_, amounts in legs.items()
    )
    note = msgspec.json.decode(bytes(journal.note) or b"null")
    facts = tuple((str(name), str(value)) for name, value in note.items()) if isinstance(note, dict) else ()
    return Drawn(
        journal,
        accounts,
        sum(sum(account.debits) for account in accounts),
        sum(sum(account.credits) for account in accounts),
        facts,
    )


def _object(text: str) -> tuple[Prefix, UUID]:
    try:
        prefix = Prefix(text.rpartition("_")[0])
        return prefix, decode(prefix, text)
    except ValueError:
        raise not_found("object with journals") from None


page = pages_of(Door.CONSOLE)

PAGES = (page("GET", "/console/journals", "console_journals", journals),)
