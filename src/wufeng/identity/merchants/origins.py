"""Addresses of a merchant's own site: which of them a browser may be sent to."""

import re

from msgspec import Struct

DEFAULT_PORTS = {"http": "80", "https": "443"}
PORT_MAX = 65_535

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?][a-z0-9\-._~:/?@!$&'()*+,;=%\[\]]*)?",
    re.ASCII | re.IGNORECASE,
)


class Address(Struct, frozen=True):
    """An address taken apart. `origin` is written as a browser writes it; `rest` is its path and query."""

    scheme: str
    origin: str
    rest: str


def read_address(text: str) -> Address | None:
    """An absolute http or https address that no reader can take for another; None for all else.

    Refused are user names before the host, fragments, backslashes, control and other characters outside of RFC 3986:
    what browsers mend on their own (https://url.spec.whatwg.org/#url-parsing) would be judged as one place and lead
    to another.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or (match["port"] and not 0 < int(match["port"]) <= PORT_MAX):
        return None
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"] or ""
    shown = "" if not port or str(int(port)) == DEFAULT_PORTS[scheme] else f":{int(port)}"
    return Address(scheme, f"{scheme}://{host}{shown}", match["rest"] or "")
