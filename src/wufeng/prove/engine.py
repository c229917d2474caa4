"""What the proofs need of the product in this process; the command line builds it from the composition root."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from wufeng.base.books import Book, Books
from wufeng.base.clock import Clock
from wufeng.base.config import Settings
from wufeng.base.database import Database
from wufeng.base.followers import Followers
from wufeng.base.lanes import Lanes
from wufeng.credit import ClosedDay
from wufeng.identity import Vault


class Engine(Struct, frozen=True):
    """The parts of one process, without its timers.

    settings    of the installation that it is on
    turn_days   turns a test book's clock on by so many days and closes each that ends
    close_days  closes what has ended on a book's clock
    """

    settings: Settings
    database: Database
    books: Books
    lanes: Lanes
    followers: Followers
    vault: Vault
    clock: Clock
    turn_days: Callable[[Book, int], Awaitable[list[ClosedDay]]]
    close_days: Callable[[Book], Awaitable[list[ClosedDay]]]


class Tools(Struct, frozen=True):
    """How installations are made and opened.

    found    makes one: settings, the test book's name, its buckets, the clock
    opened   an engine on one, until the end of the block
    command  the words that start `wufeng` as a process of its own
    """

    found: Callable[[Settings, str, int, Clock], Awaitable[None]]
    opened: Callable[[Settings, Clock], AbstractAsyncContextManager[Engine]]
    command: tuple[str, ...]
