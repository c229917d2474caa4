"""What all resources have in common: calls with typed answers, and lists that turn their own pages."""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from wufeng.client.transport import Call, Repeat, Transport

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list."""

    data: list[T]
    next: str | None = None
    has_more: bool = False


class Listing(Generic[T]):
    """A list that has not been read yet: `async for` walks all of it, `page()` reads one page."""

    def __init__(
        self, transport: Transport, view: type[T], path: str, query: Mapping[str, str | int]
    ) -> None:
        self._transport = transport
        self._view = view
        self._path = path
        self._query = query

    async def page(self, starting_after: str | None = None) -> Page[T]:
        """The page after an id; the first without one."""
        query = given(**self._query, starting_after=starting_after)
        reply = await self._transport.send(Call(method="GET", path=self._path, query=query))
        page: Page[T] = decoder(Page[self._view]).decode(reply.body)  # type: ignore[name-defined]
        return page

    async def __aiter__(self) -> AsyncIterator[T]:
        """Every object, page by page."""
        after: str | None = None
        while True:
            page = await self.page(after)
            for view in page.data:
                yield view
            if not page.has_more:
                return
            after = page.next

    async def all(self) -> list[T]:
        """Every object, at once: for lists that are known to be short."""
        return [view async for view in self]


class Resource:
    """A noun of the API. A call is one line: its view, its path, its body, and whether it may be repeated."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _get(self, view: type[T], path: str, query: Mapping[str, str | int] | None = None) -> T:
        return await self._call(view, Call(method="GET", path=path, query=query or {}))

    def _list(self, view: type[T], path: str, query: Mapping[str, str | int] | None = None) -> Listing[T]:
        return Listing(self._transport, view, path, query or {})

    async def _pay(self, view: type[T], path: str, body: Mapping[str, object], key: str | None) -> T:
        """A call that moves money or opens credit: keyed, so it is one however often it is sent."""
        return await self._call(view, Call(method="POST", path=path, body=body, repeat=Repeat.KEYED, key=key))

    async def _post(
        self, view: type[T], path: str, body: Mapping[str, object], repeat: Repeat = Repeat.ONCE
    ) -> T:
        return await self._call(view, Call(method="POST", path=path, body=body, repeat=repeat))

    async def _delete(self, view: type[T], path: str, query: Mapping[str, str | int] | None = None) -> T:
        call = Call(method="DELETE", path=path, query=query or {}, repeat=Repeat.ONCE)
        return await self._call(view, call)

    async def _download(self, path: str, media_type: str) -> bytes:
        """A GET in another media type, such as text/csv."""
        return (await self._transport.send(Call(method="GET", path=path, accept=media_type))).body

    async def _call(self, view: type[T], call: Call) -> T:
        reply = await self._transport.send(call)
        found: T = decoder(view).decode(reply.body)  # type: ignore[arg-type]  # mypy: a type is hashable
        return found


@lru_cache(maxsize=256)
def decoder(view: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a view; fields that this client does not know are passed over."""
    return msgspec.json.Decoder(view)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given: None is the same as absent."""
    return {name: value for name, value in fields.items() if value is not None}


def at(id_: str) -> str:
    """An id as a part of a path."""
    return quote(id_, safe="")
