"""Sending to addresses that callers gave us: what a name resolves to is checked at each connection.

A name is resolved once, every address it has is judged, and the connection goes to a judged address. So a
name that points elsewhere a moment later (DNS rebinding), another notation or an address mapped into IPv6
lead nowhere. httpcore, the part of httpx below redirects, proxies and cookies, is used directly: none of
those is wanted here.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache

import httpcore
import httpx
from msgspec import Struct

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

SEND_MAX_S = 15.0
CONNECT_MAX_S = 5.0
ANSWER_MAX_BYTES = 64 * 1024
_TIMEOUTS = {"connect": CONNECT_MAX_S, "read": SEND_MAX_S, "write": SEND_MAX_S, "pool": SEND_MAX_S}


class Reach(StrEnum):
    """How far outgoing calls may go."""

    PUBLIC = "public"
    ANYWHERE = "anywhere"  # development: a receiver on this machine


_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
"""Blocks that are not plain public unicast. Source: IANA's special-purpose address registries.

Within IPv6 only 2000::/3 is public unicast at all. Tunnels that carry an IPv4 address (2001::/32, 2002::/16)
are refused whole; mapped, compatible and NAT64 forms lie outside of it.
"""


def is_public(address: IPAddress) -> bool:
    """Whether an address is ordinary public unicast: not this machine, its network or metadata, a tunnel."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _REFUSED_V4)
    if address.scope_id is not None or address not in _UNICAST_V6:
        return False
    return not any(address in block for block in _REFUSED_V6)


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address that is not to be called."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name by the system's resolver, which also reads 0x7f.1 and 2130706433."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in found))


class JudgingBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to public addresses only; TLS goes on with the host's name."""

    def __init__(self, reach: Reach, resolve_name: Resolve = resolve) -> None:
        self._reach = reach
        self._resolve = resolve_name
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge all, connect to the first that answers.

        Raises AddressRefused if any is not to be called.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host.strip("[]"), port)
        except OSError as error:  # TimeoutError is one
            raise httpcore.ConnectError(f"the name cannot be resolved: {error}") from error
        if self._reach is Reach.PUBLIC:
            for address in addresses:
                # One is enough: who mixes inside and outside addresses under a name wants the inside.
                if not is_public(ipaddress.ip_address(address)):
                    raise AddressRefused("the name leads to an address that is not public")
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses[:3]:
            try:
                return await self._tcp.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks for it between its own attempts."""
        await asyncio.sleep(seconds)


class Sent(Struct, frozen=True):
    """What came of a sending: the receiver's status, or why there is none."""

    took_ms: int
    response_status: int | None
    failure: str | None = None
    retry_after_s: int | None = None


@cache
def _trust() -> ssl.SSLContext:
    """Whom the machine trusts: a file of hundreds of certificates, read once a process."""
    return httpx.create_ssl_context()


class Outbound:
    """Posts bodies to receivers. No redirect is followed, no proxy and no cookie is used."""

    def __init__(
        self, reach: Reach, *, resolve_name: Resolve = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or _trust(),
            network_backend=JudgingBackend(reach, resolve_name),
            max_connections=None,  # who sends bounds itself; waiting here would be blamed on the receiver
            max_keepalive_connections=0,  # a kept connection would outlive the judgement of its address
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Send once, within SEND_MAX_S from name to answer, and say what came of it.

        Never raises for the network.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        def sent(status: int | None, failure: str | None = None, retry_after_s: int | None = None) -> Sent:
            return Sent(round((loop.time() - began_s) * 1000), status, failure, retry_after_s)

        try:
            async with asyncio.timeout(SEND_MAX_S):
                status, retry_after_s = await self._post(httpx.URL(url), headers, body)
            return sent(status, retry_after_s=retry_after_s)
        except AddressRefused as error:
            return sent(None, f"address_refused: {error}")
        except (TimeoutError, httpcore.TimeoutException):
            return sent(None, "timeout")
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            return sent(None, f"{type(error).__name__}: {error}"[:200])
        except (httpx.InvalidURL, ValueError) as error:
            return sent(None, f"bad_url: {error}"[:200])

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> tuple[int, int | None]:
        request = httpcore.Request(
            "POST",
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[
                ("Host", url.netloc.decode()),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": _TIMEOUTS},
        )
        response = await self._pool.handle_async_request(request)
        try:
            await _skim(response)
        finally:
            await response.aclose()
        return response.status, _retry_after(response.headers)

    async def close(self) -> None:
        """End; sendings under way are broken off."""
        await self._pool.aclose()


async def _skim(response: httpcore.Response) -> None:
    """Read the answer's body, up to the bound: a receiver that is cut off while it writes may call that a
    failure."""
    read = 0
    async for chunk in response.aiter_stream():
        read += len(chunk)
        if read > ANSWER_MAX_BYTES:
            return


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return int(value)
    return None
