"""What a play drives: the real engine, in one process."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from wufeng.base.books import Book, Books
from wufeng.base.database import Database
from wufeng.base.lanes import Lanes
from wufeng.credit import ClosedDay
from wufeng.identity import Vault


class Engine(Struct, frozen=True, kw_only=True):
    """The engine as a play needs it: the composition root's parts, in one process.

    turn_day  turns the book's clock to the next business date and closes the one that ended
    """

    database: Database
    books: Books
    lanes: Lanes
    vault: Vault
    turn_day: Callable[[Book], Awaitable[list[ClosedDay]]]
    catch_up: Callable[[], Awaitable[None]]
