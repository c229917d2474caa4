"""What most commands need: settings, the database, the books."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypeVar

import typer

from wufeng.base.books import Book, Books, load_books
from wufeng.base.config import Settings, load_settings
from wufeng.base.database import Connection, Database
from wufeng.base.errors import ConfigurationError

Answer = TypeVar("Answer")

BookName = Annotated[
    str | None, typer.Option("--book", help="Which book; may be left out where there is one.")
]
"""The option that names a book."""


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a command's work to its end."""
    return asyncio.run(work)


def is_installed(settings: Settings) -> bool:
    """Whether there is an installation where the settings say; a database of one's own is always there."""
    return not settings.embedded or (settings.data_dir / "postgresql" / "data" / "PG_VERSION").exists()


def installation() -> Settings:
    """The settings of an installation that is there: no command but `init` makes one."""
    settings = load_settings()
    if not is_installed(settings):
        raise ConfigurationError(
            f"there is no installation in {settings.data_dir}: run `wufeng init`, "
            "or set WUFENG_DATA_DIR to where it is"
        )
    return settings


def database() -> AbstractAsyncContextManager[Database]:
    """The installation's database, its server started or joined for as long as the command runs."""
    return Database(installation())


async def books_of(db: Connection) -> Books:
    """The books of the installation."""
    return Books(await load_books(db))


def choose(books: Books, name: str | None) -> Book:
    """The book that was named, or the only one."""
    if name is not None:
        return books.named(name)
    if len(books) == 1:
        return next(iter(books.values()))
    names = ", ".join(sorted(book.name for book in books.values())) or "none; `wufeng init` makes the first"
    raise ConfigurationError(f"say which book with --book; there are: {names}")
