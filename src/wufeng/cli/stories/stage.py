"""What a story of the demo is, what it plays on, and what it leaves to click on."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from wufeng.client import Wufeng
from wufeng.web.paging import Door

Tell = Callable[[str, str], None]
"""(what happened, the figures of it)."""


class Stage(Struct, frozen=True, kw_only=True):
    """A fresh test book on 3 September 2026, alone in it: who may act there.

    url       the server's
    operator  the platform's key
    staff     a supervisor's session
    shop      the key of an outsider's shop, which has its pages under /shop in the first story of a demo
    tell      says what has just happened
    """

    url: str
    book: str
    operator: Wufeng
    staff: Wufeng
    shop: Wufeng
    tell: Tell


class Way(Struct, frozen=True):
    """A link that opens an app as one of the story's people."""

    who: str
    door: Door
    token: str
    path: str

    def __repr__(self) -> str:
        return f"Way({self.who})"


class Ending(Struct, frozen=True, kw_only=True):
    """Who and what is left to look at when a story is over.

    credentials  (what, value) of those who call the API
    read         (token, path) of one call to try; None: none
    """

    ways: tuple[Way, ...] = ()
    credentials: tuple[tuple[str, str], ...] = ()
    read: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"Ending({', '.join(way.who for way in self.ways)})"


class Story(Struct, frozen=True, kw_only=True):
    """One story. `description`: what is seen in it, in a line."""

    name: str
    description: str
    play: Callable[[Stage], Awaitable[Ending]]


def yuan(minor: int) -> str:
    """An amount of CNY as stories write it, such as 1,000.00; not negative."""
    return f"{minor // 100:,}.{minor % 100:02d}"
