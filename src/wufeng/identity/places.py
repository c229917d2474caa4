"""Where a call comes from: the client's address behind trusted proxies, and the address ranges of API keys.

An address is believed as far as the machines that told it: the peer of the connection, and what trusted proxies say
in X-Forwarded-For, read from its end.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from uuid import UUID

from msgspec import Struct

from wufeng.base.errors import invalid_field

Network = IPv4Network | IPv6Network

IN_PROCESS = "in-process"
"""The peer of calls that the pages make in this process: they tell the visitor's address as a trusted proxy does."""

RANGES_MAX = 50
_HOME_BITS = 64  # one subscriber's part of an IPv6 address
_HOPS_MAX = 16


class Place(Struct, frozen=True):
    """Where a try comes from.

    address         None: not known, and not counted
    device_id       None: a session without a device, or none at all
    device_trusted  its person has proved a PIN or passkey on it before: other people's tries do not hold it up
    """

    address: str | None = None
    device_id: UUID | None = None
    device_trusted: bool = False


NOWHERE = Place()


def client_address(peer: str | None, forwarded: str, trusted: Sequence[Network]) -> str | None:
    """The address of whoever called: the last in the chain of proxies that is no trusted proxy. None: none is known.

    forwarded  the X-Forwarded-For header, the nearest last; beyond a machine that is not trusted nothing is believed
    """
    address = None if peer == IN_PROCESS else read_address(peer or "")
    believed = peer == IN_PROCESS or _is_in(address, trusted)
    for text in reversed(forwarded.split(",")[-_HOPS_MAX:] if forwarded else ()):
        if not believed or (told := read_address(text.strip())) is None:
            break
        address, believed = told, _is_in(told, trusted)
    return address


def read_address(text: str) -> str | None:
    """An address in its one written form, an IPv4 address in IPv6 as itself; None for what is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def counted_as(address: str | None) -> str | None:
    """Under what tries from an address are counted: itself, of IPv6 the subscriber's network of 64 bits.

    None for an address of this machine: behind it stands a proxy that the settings do not name, and everybody.
    """
    if address is None:
        return None
    read = ip_address(address)
    if read.is_loopback or read.is_unspecified:
        return None
    if isinstance(read, IPv6Address):
        return str(ip_network(f"{read}/{_HOME_BITS}", strict=False))
    return str(read)


@lru_cache(maxsize=16)
def read_ranges(text: str) -> tuple[Network, ...]:
    """Address ranges as a setting gives them, with commas between. Raises ValueError naming the one that is none."""
    return tuple(_range(part.strip()) for part in text.split(",") if part.strip())


def check_ranges(texts: Sequence[str], pointer: str = "/addresses") -> tuple[str, ...]:
    """The address ranges (CIDR) of a key, each in its one written form, in order (invalid_field)."""
    if len(texts) > RANGES_MAX:
        raise invalid_field(pointer, f"A key has at most {RANGES_MAX} address ranges.")
    try:
        return tuple(sorted({str(_range(text.strip())) for text in texts}))
    except ValueError as error:
        raise invalid_field(pointer, str(error)) from None


def may_come_from(address: str | None, ranges: Sequence[str]) -> bool:
    """Whether a key with these ranges may be used from an address. Without ranges from anywhere, even unknown."""
    return not ranges or _is_in(address, [_range(text) for text in ranges])


def _is_in(address: str | None, ranges: Sequence[Network]) -> bool:
    return address is not None and any(ip_address(address) in network for network in ranges)


@lru_cache(maxsize=1024)
def _range(text: str) -> Network:
    try:
        return ip_network(text, strict=True)
    except ValueError:
        raise ValueError(
            f"{text[:60]!r} is no address range, such as 203.0.113.0/24 or 2001:db8::/32"
        ) from None
