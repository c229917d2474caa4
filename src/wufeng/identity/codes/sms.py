"""The SMS seam: how a text gets to a phone."""

from typing import Protocol

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.codes.model import Message


class Sms(Protocol):
    """A sender of texts. Test books have one in `store.MessageTable`; a live book needs the operator's own.

    `send` is called inside the transaction that stores the code. It must return without waiting for a
    provider (hand the message to a queue of its own): how long the call takes would tell whether the phone is
    known.
    """

    async def send(self, db: Connection, book: Book, message: Message) -> None:
        """Take a message for delivery."""
        ...
