"""`/demo/{ticket}`: a link of the demo's that signs its visitor in as one of the demo's people."""

import base64
import binascii
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from wufeng.base.books import Mode
from wufeng.base.errors import Code, Problem, not_found
from wufeng.identity import CallerKind, Vault
from wufeng.identity.vault import Unreadable
from wufeng.web.paging import Door, Page, Reply, Visit, local_path

LASTS = timedelta(hours=24)

_KINDS = {
    Door.CONSUMER: CallerKind.PERSON,
    Door.MERCHANT: CallerKind.MERCHANT,
    Door.CONSOLE: CallerKind.STAFF,
}


class Ticket(Struct, frozen=True, array_like=True):
    """What a ticket holds: which app it opens, as whom, where, and until when."""

    door: Door
    token: str
    path: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Ticket({self.door.value})"


def make_ticket(vault: Vault, door: Door, token: str, path: str, at: datetime) -> str:
    """A ticket as a part of an address, good for a day: sealed, so that only this installation makes one."""
    sealed = vault.seal_ticket(msgspec.msgpack.encode(Ticket(door, token, path, at + LASTS)))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_ticket(vault: Vault, text: str, at: datetime) -> Ticket | None:
    """The ticket; None for one that is not this installation's, changed, or older than a day."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        ticket = msgspec.msgpack.decode(vault.open_ticket(sealed), type=Ticket)
    except (binascii.Error, ValueError, Unreadable, msgspec.MsgspecError):
        return None
    return ticket if at < ticket.expires_at else None


async def open_ticket(visit: Visit) -> Reply:
    """Sign in and go where the ticket says. Of a live book there are no tickets."""
    services = visit.services
    ticket = read_ticket(services.vault, visit.values["id"], services.clock.now())
    if ticket is None:
        raise not_found("ticket")
    try:
        caller = await services.authenticator.authenticate(f"Bearer {ticket.token}")
    except Problem as problem:
        if problem.code is not Code.UNAUTHENTICATED:
            raise
        raise not_found("ticket") from None
    if caller.book.mode is not Mode.TEST or caller.kind is not _KINDS[ticket.door]:
        raise not_found("ticket")
    visit.set_cookie(ticket.door.cookie, ticket.token)
    visit.set_cookie("wufeng_book", caller.book.name)
    return visit.go(local_path(ticket.path, "/app"))


PAGES = (
    Page(
        method="GET", path="/demo/{ticket}", operation="demo_ticket", door=Door.CONSUMER, handle=open_ticket
    ),
)
