"""What stands in links that nobody can guess: an id, and a keyed hash of it that this installation alone can make.

Nothing of it is kept. A guessed one is told from a real one before the database is asked, in the same time whether the
object exists or not; a real one can be shown again whenever its owner asks.
"""

import hmac
from collections.abc import Iterable
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity import Vault

BARE = 26
"""Characters of an id without its prefix; a token has twice as many."""


def bare(prefix: Prefix, id_: UUID) -> str:
    """An id without its prefix."""
    return encode(prefix, id_).partition("_")[2]


def token_of(vault: Vault, book: Book, prefix: Prefix, id_: UUID) -> str:
    """The text for a link to an object of a book."""
    return bare(prefix, id_) + _proof(vault, book, prefix, id_)


def open_token(vault: Vault, books: Iterable[Book], prefix: Prefix, token: str) -> tuple[Book, UUID] | None:
    """The book and the id that a token was made for; None: it is none of ours."""
    try:
        id_ = decode(prefix, f"{prefix.value}_{token[:BARE]}")
    except ValueError:
        return None
    given = token[BARE:].encode("utf-8", "replace")
    found = [book for book in books if hmac.compare_digest(_proof(vault, book, prefix, id_).encode(), given)]
    return (found[0], id_) if found else None


def _proof(vault: Vault, book: Book, prefix: Prefix, id_: UUID) -> str:
    return bare(prefix, vault.name(f"link of {prefix.value}", book.id, id_.hex))
